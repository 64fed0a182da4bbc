import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clusterQuestions } from './gap-clusters.ts';

const question = (id: string, words: string) => ({ id, lexemes: words.split(' ') });

test('questions that share their telling words are one gap; a common word is not enough', () => {
  const clusters = clusterQuestions([
    question('1', 'repair zip jacket'),
    question('2', 'gift card expir'),
    question('3', 'zip repair'),
    question('4', 'gift wrap'),
    question('5', 'expir gift card date'),
    question('6', 'zip broken repair jacket'),
  ]);
  expect(clusters.map((cluster) => cluster.map(({ id }) => id))).toEqual([
    ['1', '3', '6'],
    ['2', '5'],
    ['4'],
  ]);
});

test('every question is in one cluster, and those without words resemble nothing', () => {
  const word = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const questions = fc
    .array(fc.uniqueArray(word), { maxLength: 40 })
    .map((all) => all.map((lexemes, at) => ({ id: String(at), lexemes })));
  fc.assert(
    fc.property(questions, (all) => {
      const clusters = clusterQuestions(all);
      const ids = clusters.flat().map(({ id }) => id);
      expect(ids.toSorted()).toEqual(all.map(({ id }) => id).toSorted());
      for (const cluster of clusters) {
        if (cluster.some(({ lexemes }) => lexemes.length === 0)) expect(cluster).toHaveLength(1);
      }
    }),
  );
});
