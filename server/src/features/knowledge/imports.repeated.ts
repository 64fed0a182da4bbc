import type { ImportItem } from './imports.repository.ts';

/** Two items of one source would overwrite each other: the first one counts, the others have failed. */
export function refuseRepeated(items: readonly ImportItem[]): ImportItem[] {
  const firsts = new Map<string, string>();
  return items.map((item) => {
    if (!('article' in item)) return item;
    const { source } = item.article;
    const first = firsts.get(source);
    if (first === undefined) {
      firsts.set(source, item.path);
      return item;
    }
    return { path: item.path, message: `${first} has the same \`slug\` or path.` };
  });
}
