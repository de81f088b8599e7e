import { shortFloat32 } from '../json/short-float32.js';

/** One member of an object; its value is JSON text already. */
export type Member = readonly [key: string, json: string];

export const memberJson = ([key, json]: Member): string => `${JSON.stringify(key)}:${json}`;

export const objectJson = (members: readonly Member[]): string => `{${members.map(memberJson).join(',')}}`;

/** Three decimals; NaN becomes null, which JSON has. */
export const probability = (value: number): string => JSON.stringify(Math.round(value * 1000) / 1000);

/** The digits of a float32. */
export const number = (value: number): string => JSON.stringify(shortFloat32(Math.fround(value)));
