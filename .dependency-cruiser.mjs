/**
 * The import rules of the architecture. The number in a name is that of the rule; 0 is for what
 * goes without saying.
 */

const src = '^server/src/';
const features = `${src}features/`;
const tests = String.raw`\.test\.tsx?$|/test-[^/]+\.ts$|^[^/]+/test/`;

const routesAndJobs = String.raw`\.(routes|jobs)\.ts$`;
const services = String.raw`\.service\.ts$`;
const repositories = String.raw`\.repository\.ts$`;
/** The files of a feature that speak HTTP. */
const api = String.raw`\.(routes|schemas|stream|streams)\.ts$|/(refresh-cookie|pages)\.ts$`;

const webFramework = '(^|/)node_modules/(fastify|@fastify/[^/]+)/';
const databaseDrivers = '(^|/)node_modules/(kysely|pg|@electric-sql/pglite)/';

/** Which features may know which, beside the events and `Actor`, which are open to all. */
const knows = {
  answers: ['knowledge/', 'tickets/', 'auth/session.streams.ts', 'settings/'],
  auth: ['users/'],
  knowledge: ['settings/'],
  live: ['answers/answers-started.ts', 'tickets/', 'auth/session.streams.ts'],
  mail: ['auth/identity.ts'],
  messages: ['answers/', 'tickets/'],
  privacy: ['tickets/', 'users/'],
  users: ['auth/(identity|passwords|sessions).ts'],
};
const openToAll = `${features}(events/|auth/actor.ts)`;
/** Where features meet beside services and schemas: constants and pure functions. */
const sharedWords = `${features}(auth/identity|settings/settings.defaults|tickets/answers-changed|answers/answers-started).ts`;
/** Parts of auth that other features are given ready-made. */
const sharedTypes = `${features}auth/(passwords|sessions|session.streams).ts`;

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

export default {
  forbidden: [
    rule(
      '0-everything-is-found',
      'An import that resolves to nothing.',
      {},
      { couldNotResolve: true },
    ),
    rule(
      '0-production-is-self-sufficient',
      'What runs in production imports no tests, no scripts and only declared dependencies.',
      { path: '^[^/]+/(src|migrations)/', pathNot: tests },
      { path: `${tests}|^[^/]+/scripts/` },
    ),
    rule(
      '0-dependencies-are-declared',
      'What runs in production imports only dependencies of its own package.json.',
      { path: '^[^/]+/(src|migrations)/', pathNot: tests },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-optional', 'npm-peer'] },
    ),

    rule('1-no-cycles', 'No import cycles, type-only ones included.', {}, { circular: true }),

    rule(
      '2-platform-knows-no-product',
      'platform/ imports only platform/.',
      { path: `${src}platform/`, pathNot: tests },
      { path: '^(server|client|dashboard|bench|eval)/', pathNot: `${src}platform/|/node_modules/` },
    ),

    rule(
      '3-routes-and-jobs-call-services',
      'Routes and jobs touch no repository, no database and no AI provider.',
      { path: `${features}.+${routesAndJobs}` },
      { path: [repositories, `${src}platform/(database|ai)/`, databaseDrivers] },
    ),
    rule(
      '3-the-api-layer-reads-no-data',
      'Schemas and streams know rows as types only.',
      { path: `${features}.+(${api})` },
      { path: [repositories, databaseDrivers], dependencyTypesNot: ['type-only'] },
    ),
    rule(
      '3-repositories-are-below-services',
      'A repository imports platform/database, and nothing above it.',
      { path: repositories },
      { path: [services, routesAndJobs, api, `${src}platform/(?!database/)`] },
    ),
    rule(
      '3-services-are-below-routes',
      'What is not a route knows no route, and no schema except as a type.',
      { path: features, pathNot: [api, routesAndJobs, tests] },
      { path: `${features}.+(${api}|${routesAndJobs})`, dependencyTypesNot: ['type-only'] },
    ),

    rule(
      '4-services-know-no-http',
      'Only the API layer of a feature knows Fastify and platform/http.',
      { path: features, pathNot: [api, routesAndJobs, tests] },
      { path: [`${src}platform/http/`, webFramework] },
    ),

    ...Object.entries(knows).map(([feature, others]) =>
      rule(
        `5-what-${feature}-knows`,
        `Of other features, ${feature} imports only: ${others.join(', ')}, events/.`,
        { path: `${features}${feature}/`, pathNot: tests },
        {
          path: features,
          pathNot: [`${features}(${[`${feature}/`, ...others].join('|')})`, openToAll],
        },
      ),
    ),
    rule(
      '5-what-the-others-know',
      'A feature that `knows` does not list imports of other features only events/.',
      {
        path: `${features}([^/]+)/`,
        pathNot: [`${features}(${Object.keys(knows).join('|')})/`, tests],
      },
      { path: features, pathNot: [`${features}$1/`, openToAll] },
    ),
    rule(
      '5-features-meet-at-services',
      'Of another feature, one imports its service; the API layer also the shapes on the wire.',
      { path: `${features}([^/]+)/`, pathNot: tests },
      {
        path: features,
        pathNot: [`${features}$1/`, openToAll, services, api, sharedWords, sharedTypes],
      },
    ),
    rule(
      '5-as-types',
      'container.ts passes the value.',
      { path: `${features}([^/]+)/`, pathNot: tests },
      { path: sharedTypes, pathNot: `${features}$1/`, dependencyTypesNot: ['type-only'] },
    ),

    rule(
      '6-only-container-creates',
      'A service is imported as a type; container.ts creates it.',
      { pathNot: [`${src}container.ts`, tests] },
      { path: `${features}.+${services}`, dependencyTypesNot: ['type-only'] },
    ),
    rule(
      '6-features-are-below-the-composition',
      'A feature knows nothing of the process around it.',
      { path: features, pathNot: tests },
      { path: `${src}[^/]+$`, pathNot: `${src}(errors|tables).ts` },
    ),
    rule(
      '6-only-main-starts',
      'main.ts and cli.ts act on import, so nothing imports them.',
      {},
      { path: String.raw`${src}(main|cli)\.ts` },
    ),
    rule(
      '6-clients-know-no-server',
      'client/ and dashboard/ know the API, not the server.',
      { path: '^(client|dashboard)/', pathNot: tests },
      { path: '^server/' },
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: true,
    doNotFollow: { path: '(^|/)node_modules/' },
    exclude: { path: '^server/assets/redoc/|^[^/]+/dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
};
