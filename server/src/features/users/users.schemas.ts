import { Type, type Static } from 'typebox';
import {
  closed,
  Id,
  named,
  nullable,
  oneOf,
  pageQuery,
  ref,
  singleLine,
  Time,
} from '../../platform/http/schemas.ts';
import type { Actor } from '../auth/actor.ts';
import {
  emailLengthMax,
  nameLengthMax,
  passwordLengthMax,
  passwordLengthMin,
} from '../auth/identity.ts';
import { seesWholeUser } from './users.policy.ts';
import type { UserRow } from './users.repository.ts';

const roles = ['customer', 'agent', 'admin'] as const;

export const Email = Type.String({
  format: 'email',
  maxLength: emailLengthMax,
  description: 'Unique. Upper and lower case are the same; kept in lower case.',
});

export const PersonName = singleLine(1, nameLengthMax);

/** Language and region, such as `de-AT`. */
export const Locale = Type.String({
  pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$',
  maxLength: 35,
});

const passwordRule =
  `${passwordLengthMin} to ${passwordLengthMax} characters (Unicode code points) of any kind; ` +
  'the only rule is the length. Taken exactly as it is sent.';
const passwordLengths = { minLength: passwordLengthMin, maxLength: passwordLengthMax };

export const NewPassword = Type.String({ ...passwordLengths, description: passwordRule });

export const User = named(
  'User',
  Type.Object(
    {
      id: Id,
      email: Type.String(),
      name: Type.String(),
      locale: nullable(Type.String({ description: 'BCP 47; what the assistant writes in.' })),
      role: oneOf(roles),
      disabled: Type.Boolean({ description: 'A disabled user cannot sign in.' }),
      version: Type.Integer({ description: 'Grows with every change; the ETag of the user.' }),
      created_at: Time,
      updated_at: Time,
    },
    closed,
  ),
);

const UserSummary = named(
  'UserSummary',
  Type.Object(
    { id: Id, name: Type.String(), email: Type.String() },
    { ...closed, description: 'What agents see of a customer.' },
  ),
);

/** What the list shows, which depends on who asks. */
export const ListedUser = Type.Union([ref(User), ref(UserSummary)]);

export const ListUsersQuery = Type.Object(
  {
    ...pageQuery,
    role: Type.Optional(
      Type.Array(oneOf(roles), {
        minItems: 1,
        maxItems: roles.length,
        description: 'Repeat it for any of several.',
      }),
    ),
    disabled: Type.Optional(Type.Boolean()),
    q: Type.Optional(singleLine(1, 100, { description: 'Part of the name or the e-mail.' })),
  },
  closed,
);

const InitialPassword = Type.String({
  ...passwordLengths,
  description: `${passwordRule} Without it the person is sent a link to choose one.`,
});

export const CreateUserBody = Type.Object(
  { email: Email, name: PersonName, role: oneOf(roles), password: Type.Optional(InitialPassword) },
  {
    ...closed,
    examples: [
      {
        email: 'grace@example.com',
        name: 'Grace Hopper',
        role: 'agent',
        password: 'four random words',
      },
    ],
  },
);

export const UpdateUserBody = Type.Object(
  {
    name: Type.Optional(PersonName),
    role: Type.Optional(oneOf(roles)),
    disabled: Type.Optional(
      Type.Boolean({ description: 'True ends all sessions of the user at once.' }),
    ),
  },
  { ...closed, minProperties: 1, examples: [{ role: 'admin' }] },
);

/** The reply of what goes on by mail. */
export const Accepted = named(
  'Accepted',
  Type.Object({ status: oneOf(['accepted'] as const) }, closed),
);
export const accepted: Static<typeof Accepted> = { status: 'accepted' };

export const exampleUser: Static<typeof User> = {
  id: '0199f39f-7777-7a6b-8c1d-0b2e4f6a8c55',
  email: 'robin@example.com',
  name: 'Robin Vos',
  locale: 'nl-NL',
  role: 'customer',
  disabled: false,
  version: 1,
  created_at: '2026-11-02T09:15:00.000Z',
  updated_at: '2026-11-02T09:15:00.000Z',
};

/** A user on the wire. */
export const presentUser = (user: UserRow): Static<typeof User> => ({
  id: user.id,
  email: user.email,
  name: user.name,
  locale: user.locale,
  role: user.role,
  disabled: user.disabled_at !== null,
  version: user.version,
  created_at: user.created_at.toISOString(),
  updated_at: user.updated_at.toISOString(),
});

export const presentListedUser = (actor: Actor, user: UserRow): Static<typeof ListedUser> =>
  seesWholeUser(actor) ? presentUser(user) : { id: user.id, name: user.name, email: user.email };

/** The shapes with a name of their own in the OpenAPI document. */
export const usersShapes = [User, UserSummary, Accepted];
