import { Type, type Static } from 'typebox';
import {
  closed,
  Id,
  named,
  nullable,
  oneOf,
  pageQuery,
  singleLine,
  Time,
} from '../../platform/http/schemas.ts';
import { Email, Locale, NewPassword, PersonName } from '../users/users.schemas.ts';
import type { Actor } from './actor.ts';
import type { SessionRow } from './auth.repository.ts';
import { emailLengthMax, passwordLengthMax } from './identity.ts';

/** A password that is compared, not chosen: the rules of its day may have been others. */
const GivenPassword = Type.String({ minLength: 1, maxLength: passwordLengthMax });

export const SignUpBody = Type.Object(
  { email: Email, name: PersonName, password: NewPassword },
  {
    ...closed,
    examples: [{ email: 'robin@example.com', name: 'Robin Vos', password: 'four random words' }],
  },
);

const session = Type.Optional(
  oneOf(['cookie'], {
    description:
      'For browsers: the refresh token comes as an HttpOnly cookie and not in the reply, out of ' +
      "a script's reach.",
  }),
);

export const LogInBody = Type.Object(
  // Not checked to be an e-mail: what is none belongs to nobody, like any unknown one.
  { email: singleLine(1, emailLengthMax), password: GivenPassword, session },
  { ...closed, examples: [{ email: 'robin@example.com', password: 'four random words' }] },
);

const ignored = Type.Optional(
  Type.String({ maxLength: 1_000, description: 'Accepted for OAuth2 clients, and ignored.' }),
);

/** Values of a form do not pass the check of JSON bodies, which refuses U+0000. */
const formText = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000]*$' });

export const LogInForm = Type.Object(
  {
    username: formText(emailLengthMax),
    password: formText(passwordLengthMax),
    grant_type: ignored,
    scope: ignored,
    client_id: ignored,
    client_secret: ignored,
  },
  {
    ...closed,
    description: 'The password form of OAuth2; `username` is the e-mail.',
    examples: [
      { grant_type: 'password', username: 'robin@example.com', password: 'four random words' },
    ],
  },
);

export type LogIn = Static<typeof LogInBody> | Static<typeof LogInForm>;

export const TokenGrant = named(
  'TokenGrant',
  Type.Object(
    {
      access_token: Type.String({ description: 'Send it as `Authorization: Bearer …`.' }),
      token_type: oneOf(['bearer']),
      expires_in: Type.Integer({ description: 'Life of the access token in seconds.' }),
      refresh_token: Type.Optional(
        Type.String({
          description: 'Good for one refresh. Left out when the session is kept in a cookie.',
        }),
      ),
    },
    closed,
  ),
);

export const exampleGrant: Static<typeof TokenGrant> = {
  access_token: 'eyJhbGciOiJIUzI1NiIs…',
  token_type: 'bearer',
  expires_in: 600,
  refresh_token: '0199f3a0-1111-7c31-9d2e-6c1f3f0b7a77.q0Qm0nB0y1Yx2bC3d4E5f6G7h8I9j0K1l2M3n4O5p6Q',
};

export const RefreshBody = {
  ...nullable(
    Type.Object(
      { refresh_token: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) },
      { ...closed, description: 'Empty when the refresh token is in the cookie.' },
    ),
  ),
  examples: [{ refresh_token: exampleGrant.refresh_token }],
};

export const LogOutBody = { ...nullable(Type.Object({}, closed)), examples: [{}] };

export const ExchangeBody = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 4_000 }) },
  { ...closed, examples: [{ token: 'eyJhbGciOiJIUzI1NiIs…' }] },
);

export const UpdateMeBody = Type.Object(
  { name: Type.Optional(PersonName), locale: Type.Optional(nullable(Locale)) },
  { ...closed, minProperties: 1, examples: [{ name: 'Robin de Vos', locale: 'nl-NL' }] },
);

export const ChangePasswordBody = Type.Object(
  { current_password: GivenPassword, new_password: NewPassword },
  {
    ...closed,
    examples: [{ current_password: 'four random words', new_password: 'five other random words' }],
  },
);

export const PasswordResetBody = Type.Object(
  // Not checked to be an e-mail: what is none belongs to nobody, like any unknown one.
  { email: singleLine(1, emailLengthMax) },
  { ...closed, examples: [{ email: 'robin@example.com' }] },
);

export const SetPasswordBody = Type.Object(
  { password: NewPassword },
  { ...closed, examples: [{ password: 'five other random words' }] },
);

/** Whatever it is, what opens nothing is 404. */
export const TokenParams = Type.Object(
  { token: Type.String({ description: 'What stands behind `#` in the link of the mail.' }) },
  closed,
);

export const Session = named(
  'Session',
  Type.Object(
    {
      id: Id,
      current: Type.Boolean({ description: 'The session that this request came with.' }),
      user_agent: Type.String({ description: 'What the client called itself at sign-in.' }),
      created_at: Time,
      last_refreshed_at: Time,
      expires_at: Time,
    },
    closed,
  ),
);

export const exampleSession: Static<typeof Session> = {
  id: '0199f3a0-1111-7c31-9d2e-6c1f3f0b7a77',
  current: true,
  user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  created_at: '2026-11-02T09:15:00.000Z',
  last_refreshed_at: '2026-11-02T10:05:00.000Z',
  expires_at: '2026-12-02T09:15:00.000Z',
};

export const ListSessionsQuery = Type.Object(pageQuery, closed);

/** A session on the wire. */
export const presentSession = (actor: Actor, session: SessionRow): Static<typeof Session> => ({
  id: session.id,
  current: session.id === actor.sessionId,
  user_agent: session.user_agent,
  created_at: session.created_at.toISOString(),
  last_refreshed_at: session.rotated_at.toISOString(),
  expires_at: session.expires_at.toISOString(),
});

/** The shapes with a name of their own in the OpenAPI document. */
export const authShapes = [TokenGrant, Session];
