/** Which methods a path answers to, so that a wrong method is told apart from a wrong path. */
export function createRouteTable() {
  const routes: { pattern: RegExp; methods: Set<string> }[] = [];
  const bySource = new Map<string, Set<string>>();

  return {
    add(method: string | string[], url: string): void {
      // The preflight route of CORS answers every path, also those that do not exist.
      if (url === '*') return;
      const source = `^${url
        .replace(/[.+^$()[\]{}|\\]/g, '\\$&')
        .replace(/:[^/]+/g, '[^/]+')
        .replace(/\*/g, '.*')}/?$`;
      let methods = bySource.get(source);
      if (!methods) {
        methods = new Set();
        bySource.set(source, methods);
        routes.push({ pattern: new RegExp(source), methods });
      }
      for (const name of [method].flat()) methods.add(name);
    },
    methodsOf(path: string): string[] {
      const methods = routes
        .filter(({ pattern }) => pattern.test(path))
        .flatMap((r) => [...r.methods]);
      return [...new Set(methods)].sort();
    },
  };
}
