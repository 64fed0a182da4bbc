/** What a mail says, in its parts; `renderMail` makes both forms of it. */
export type MailContent = {
  subject: string;
  paragraphs: string[];
  /** Somebody's words. */
  quote?: string;
  link: { label: string; url: string };
  /** Why the reader got it, and what to do if they should not have. */
  footer: string;
};

type TicketFacts = { number: number; title: string };

const ofTicket = ({ number, title }: TicketFacts): string => `#${number} ${title}`;
const ticketFooter = 'You get this mail because you opened the ticket.';

export const agentReplied = (
  facts: TicketFacts & { agent: string; content: string; url: string },
): MailContent => ({
  subject: `An agent replied: ${ofTicket(facts)}`,
  paragraphs: [`${facts.agent} replied to your ticket ${ofTicket(facts)}:`],
  quote: facts.content,
  link: { label: 'Open the conversation', url: facts.url },
  footer: ticketFooter,
});

export const ticketResolved = (facts: TicketFacts & { url: string }): MailContent => ({
  subject: `Resolved: ${ofTicket(facts)}`,
  paragraphs: [
    `Your ticket ${ofTicket(facts)} has been marked as resolved.`,
    'If something is still open, write in the conversation, and the ticket opens again.',
  ],
  link: { label: 'Open the conversation', url: facts.url },
  footer: ticketFooter,
});

export const webhookDisabled = (facts: {
  target: string;
  reason: string;
  url: string;
}): MailContent => ({
  subject: 'A webhook was switched off',
  paragraphs: [
    `The webhook to ${facts.target} gets no more events: ${facts.reason}`,
    'Mend the receiver, then switch the webhook on again.',
  ],
  link: { label: 'Open Support Assistant', url: facts.url },
  footer: 'You get this mail because you are an admin.',
});

export const passwordReset = ({ url }: { url: string }): MailContent => ({
  subject: 'Set a new password',
  paragraphs: ['Somebody, probably you, asked for a new password for this e-mail address.'],
  link: { label: 'Set a new password', url },
  footer:
    'The link works once, for 30 minutes. If you did not ask for it, do nothing: your password stays as it is.',
});

export const invitation = ({ url, name }: { url: string; name: string }): MailContent => ({
  subject: 'Your invitation to Support Assistant',
  paragraphs: [`Hello ${name},`, 'an account has been made for you. Choose a password to use it.'],
  link: { label: 'Choose a password', url },
  footer: 'The link works once, for seven days. An admin can send you a new one.',
});

/** Both forms of a mail. */
export const renderMail = (
  content: MailContent,
): { subject: string; text: string; html: string } => ({
  subject: content.subject,
  text: textOf(content),
  html: htmlOf(content),
});

function textOf({ paragraphs, quote, link, footer }: MailContent): string {
  const quoted = quote?.split(/\r\n|\r|\n/).map((line) => `> ${line}`);
  const parts = [
    ...paragraphs,
    ...(quoted ? [quoted.join('\n')] : []),
    `${link.label}:\n${link.url}`,
    `--\n${footer}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function htmlOf({ subject, paragraphs, quote, link, footer }: MailContent): string {
  const quoted =
    quote === undefined ? [] : [`<blockquote style="${quoteStyle}">${escaped(quote)}</blockquote>`];
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><title>${escaped(subject)}</title></head>`,
    `<body style="${bodyStyle}">`,
    ...paragraphs.map((paragraph) => `<p>${escaped(paragraph)}</p>`),
    ...quoted,
    `<p><a href="${escaped(link.url)}">${escaped(link.label)}</a></p>`,
    `<p style="color:#5b6178;font-size:14px">${escaped(footer)}</p>`,
    '</body></html>',
  ].join('\n');
}

const bodyStyle =
  'font-family:system-ui,sans-serif;font-size:16px;line-height:1.5;max-width:600px;margin:0 auto;padding:16px';
const quoteStyle =
  'margin:16px 0;padding:0 0 0 16px;border-left:3px solid #e2e5ee;white-space:pre-wrap';

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
