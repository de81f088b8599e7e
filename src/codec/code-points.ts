/**
 * UTF-16 positions of a text to positions in Unicode code points, as Python counts. Ascending positions cost no more
 * than one walk over the text.
 */
export const codePointCounter = (text: string): ((utf16: number) => number) => {
  let at = 0;
  let count = 0;
  return (utf16) => {
    if (utf16 < at) at = count = 0;
    const until = Math.min(utf16, text.length);
    while (at < until) {
      at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
      count++;
    }
    return count;
  };
};
