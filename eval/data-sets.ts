import { readdir } from 'node:fs/promises';
import type { Document } from './knowledge-base.ts';
import { readLines } from './read-lines.ts';

/** A question and the ids of the documents that answer it. */
export type Query = { id: string; text: string; gold: string[] };

export type DataSet = { name: string; documents: Document[]; queries: Query[]; offTopic: string[] };

const documentsFile = /^retrieval_(.+)\.docs\.jsonl$/;
const offTopicFile = /^intent_.*oos.*\.jsonl$/;

/**
 * Reads every `retrieval_NAME.docs.jsonl` of a folder with its `retrieval_NAME.queries.jsonl`.
 * Questions of every `intent_…oos….jsonl` are off topic for all of them.
 */
export async function readDataSets(dataDir: string): Promise<DataSet[]> {
  const files = (await readdir(dataDir)).sort();
  const offTopic: string[] = [];
  for (const file of files.filter((name) => offTopicFile.test(name))) {
    const lines = await readLines<{ text: string }>(dataDir, file);
    offTopic.push(...lines.map(({ text }) => text));
  }
  const sets: DataSet[] = [];
  for (const file of files) {
    const name = documentsFile.exec(file)?.[1];
    if (name === undefined) continue;
    sets.push({
      name,
      documents: await readLines<Document>(dataDir, file),
      queries: await readLines<Query>(dataDir, `retrieval_${name}.queries.jsonl`),
      offTopic,
    });
  }
  return sets;
}
