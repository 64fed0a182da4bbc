import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const tests = ['**/*.test.ts', '**/test-*.ts', 'server/test/**', 'client/test/**'];
const tools = [
  '*.config.*',
  '.*.mjs',
  '**/scripts/**',
  'bench/**',
  'eval/**',
  'faults/**',
  'fuzz/**',
];
const environment = 'Only server/src/config.ts reads the environment: take the value from Config.';
const processModules = ['node:process', 'process'].map((name) => ({ name, message: environment }));

export default defineConfig(
  globalIgnores(['**/dist/', '.data/', 'coverage/', '**/generated/', 'server/assets/redoc/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/consistent-type-exports': 'error',
      // `import { type A }` would still run the module that it names.
      '@typescript-eslint/no-import-type-side-effects': 'error',
      // The compiler finds these too.
      '@typescript-eslint/no-unused-vars': 'off',
      // Our objects are made of functions that close over what they need; none has a `this`.
      '@typescript-eslint/unbound-method': 'off',
      // What is asynchronous by its port may have nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      // The reason of an AbortSignal and what was caught are passed on as they are.
      '@typescript-eslint/only-throw-error': [
        'error',
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
      '@typescript-eslint/prefer-promise-reject-errors': [
        'error',
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
    },
  },
  {
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-imports': ['error', { paths: processModules }],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: environment },
      ],
    },
  },
  {
    files: ['server/src/features/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: processModules,
          patterns: [
            {
              regex: String.raw`^\.\./(?!\.\./)`,
              importNamePattern: '^create[A-Z]',
              message: 'Only container.ts creates: ask for the object in the dependencies.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['server/src/config.ts', ...tests, ...tools],
    rules: { 'no-restricted-imports': 'off', 'no-restricted-properties': 'off' },
  },
  {
    files: ['server/src/main.ts', 'server/src/cli.ts', 'server/src/cli/**', ...tests, ...tools],
    rules: { 'no-console': 'off' },
  },
  {
    files: tests,
    rules: {
      // Tests read replies field by field; what they find there is what they check.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/only-throw-error': 'off',
    },
  },
  {
    files: ['server/assets/pages/**'],
    languageOptions: {
      globals: {
        addEventListener: 'readonly',
        document: 'readonly',
        fetch: 'readonly',
        history: 'readonly',
        location: 'readonly',
        matchMedia: 'readonly',
        Redoc: 'readonly',
      },
    },
  },
  {
    files: ['**/*.cjs', '**/*.mjs'],
    languageOptions: { globals: { console: 'readonly', process: 'readonly' } },
  },
);
