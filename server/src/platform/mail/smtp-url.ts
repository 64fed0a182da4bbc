export type SmtpOptions = {
  host: string;
  port: number;
  secure: boolean;
  requireTLS: boolean;
  auth?: { user: string; pass: string };
};

const loopback = /^(localhost|127(\.\d+){3}|\[?::1\]?)$/;

/** What an `smtp://` (port 587) or `smtps://` (port 465) URL says. */
export function smtpOptionsOf(text: string): SmtpOptions {
  const { protocol, hostname, port, username, password } = new URL(text);
  const secure = protocol === 'smtps:';
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port) || (secure ? 465 : 587),
    secure,
    // A password must not leave the machine in the clear because somebody took STARTTLS out.
    requireTLS: username !== '' && !loopback.test(hostname),
    ...(username && {
      auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) },
    }),
  };
}
