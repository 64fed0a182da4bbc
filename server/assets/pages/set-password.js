const form = document.querySelector('form');
const password = document.getElementById('password');
const shown = document.getElementById('shown');
const problem = document.getElementById('problem');
const outcome = document.getElementById('outcome');
const button = form.querySelector('button');

const lengthMin = 10;
const lengthMax = 200;
/** What stands behind `#` never left the browser until now. */
const token = location.hash.slice(1);

const badLink =
  'This link does not work any more. Ask for a new one: links work once, and only for a while.';

/** The end, good or bad: there is nothing left to fill in. */
function finish(text) {
  form.hidden = true;
  outcome.textContent = text;
  outcome.focus();
  // The link is of no more use; the history need not keep it.
  history.replaceState(null, '', location.pathname);
}

function complain(text, isAboutPassword = false) {
  problem.textContent = text;
  password.setAttribute('aria-invalid', String(isAboutPassword));
  if (text) (isAboutPassword ? password : button).focus();
}

function problemOf(text) {
  const length = [...text].length;
  if (length < lengthMin) return `The password needs at least ${lengthMin} characters.`;
  if (length > lengthMax) return `The password may have ${lengthMax} characters at most.`;
  return '';
}

async function save() {
  const reply = await fetch(`/api/v1/auth/password-resets/${encodeURIComponent(token)}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ password: password.value }),
  });
  if (reply.status === 204) finish('Your password is set. You can sign in with it now.');
  else if (reply.status === 404) finish(badLink);
  else if (reply.status === 422) complain('This password cannot be taken. Try another one.', true);
  else complain('That did not work. Try again in a moment.');
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = problemOf(password.value);
  complain(text, text !== '');
  if (text) return;
  button.disabled = true;
  try {
    await save();
  } catch {
    complain('The server cannot be reached. Try again in a moment.');
  } finally {
    button.disabled = false;
  }
});

shown.addEventListener('change', () => {
  password.type = shown.checked ? 'text' : 'password';
});

// Another link, opened in the same tab, changes nothing but the fragment.
addEventListener('hashchange', () => {
  if (location.hash) location.reload();
});

if (token === '') finish(badLink);
