import { Type, type Static } from 'typebox';
import { closed, named, oneOf, singleLine, Time } from '../../platform/http/schemas.ts';
import { defaultSettings, languages } from './settings.defaults.ts';
import type { SettingsView } from './settings.service.ts';

const line = singleLine(1, 500);

const fields = {
  language: oneOf(languages, {
    description: 'Of the articles. A change has all articles indexed anew.',
  }),
  guidance: Type.String({
    maxLength: 2_000,
    description: 'What the assistant should heed beside the articles: tone, names, limits.',
  }),
  answer_threshold: Type.Number({
    minimum: 0,
    maximum: 1,
    description:
      'How sure the gate must be that a passage answers the question. Higher answers less, and is wrong less often.',
  }),
  allowed_urls: Type.Array(Type.String({ format: 'uri', pattern: '^https?://', maxLength: 500 }), {
    maxItems: 50,
    description: 'Answers may link to what starts with one of these, and to links in passages.',
  }),
};

const lines = {
  no_answer: line,
  handed_off: line,
  offer: line,
  greeting: line,
  thanks: line,
};

export const Settings = named(
  'Settings',
  Type.Object(
    {
      ...fields,
      lines: Type.Object(lines, {
        ...closed,
        description: 'The sentences that the assistant says without a model.',
      }),
      version: Type.Integer({ description: 'The ETag.' }),
      updated_at: Time,
    },
    closed,
  ),
);

export const UpdateSettingsBody = Type.Partial(
  Type.Object({
    ...fields,
    lines: Type.Partial(Type.Object(lines), { ...closed, minProperties: 1 }),
  }),
  {
    ...closed,
    minProperties: 1,
    examples: [{ guidance: 'We say "parcel", not "package". Be brief.', answer_threshold: 0.6 }],
  },
);

/** The settings on the wire. */
export const presentSettings = (settings: SettingsView): Static<typeof Settings> => ({
  ...settings,
  updated_at: settings.updated_at.toISOString(),
});

export const exampleSettings: Static<typeof Settings> = {
  ...defaultSettings,
  version: 1,
  updated_at: '2026-11-02T09:00:00.000Z',
};
