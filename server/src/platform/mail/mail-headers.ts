const breaking = /[\p{C}\p{Zl}\p{Zp}]+/gu;

/** Text for a header: without line breaks, and whatever else could end it or hide in it. */
export const oneLine = (text: string): string => text.replace(breaking, ' ').trim();
