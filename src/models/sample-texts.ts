import type { Codec } from '../codec/codec.js';
import type { Payload } from '../executor/join.js';
import type { Card } from './card.js';

/**
 * Texts for the self-test, the warm-up and the test of invariance: scripts, figures, marks and long words, so that many
 * parts of a vocabulary are met, the rare ones with large weights too. The first three are of clearly different lengths.
 */
const SAMPLE_TEXTS: readonly string[] = [
  'yes',
  'The table at the window is booked for eight o’clock tomorrow.',
  'Please send the signed papers back before Friday, since the office will be closed for the whole of next week.',
  'URGENT!!! You WON £5,000 — call 0800-123-456 NOW & claim your FREE prize >>> http://example.com/?id=42&x=%20',
  '{"error": null, "items": [1, -2.5e10, "a\\tb"], "ok": true} /* 0xFF != 255 */ SELECT * FROM t WHERE a <> b;',
  'Donaudampfschifffahrtsgesellschaftskapitän antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis',
  'Вчера вечером мы долго говорили о погоде, о книгах и о том, что завтра снова будет понедельник.',
  '昨日の夜、友達と一緒に映画を見てから、駅前の小さな店でラーメンを食べました。我们明天早上八点见面。',
  'هل يمكنك أن ترسل لي العنوان من فضلك؟ सब कुछ ठीक है, कल मिलते हैं। ขอบคุณมากครับ',
  '🎉🎉 lol 😂😂😂 omg… ok?? #mondaymood @friend ♥ ¯\\_(ツ)_/¯ ★★★☆☆ 3.5/5',
  'Τα παιδιά παίζουν στον κήπο ενώ ο παππούς διαβάζει την εφημερίδα του. Çok güzel, teşekkürler! Đã xong rồi.',
  'zxqj kkkk aaaaaaaaaaaaaaaa 1111111111111111 ........ ???? the the the the of of of and and I i I i',
];

/** Longest text that a model runs, in tokens. */
export const maxTokensOf = ({ text }: Card): number => text?.maxTokens ?? 512;

/** The sample texts in a model's tokens, cut where they are too long for it. */
export const encodeSamples = async (codec: Codec, key: string, card: Card): Promise<Payload[]> => {
  const options = { maxTokens: maxTokensOf(card), truncate: true };
  const { ids, lengths } = await codec.encode(key, SAMPLE_TEXTS, options);
  let from = 0;
  return Array.from(lengths, (length): Payload => {
    const start = from;
    from += length;
    return { kind: 'text', ids: ids.slice(start, from) };
  });
};
