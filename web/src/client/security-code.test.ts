import { expect, test } from 'vitest';
import { securityCode } from './security-code.ts';

const sdpWith = (...bytes: number[]): string => {
  const digest = Array.from({ length: 32 }, (_, index) => bytes[index % bytes.length] ?? 0)
    .map((byte) => byte.toString(16).padStart(2, '0').toUpperCase())
    .join(':');
  return `v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=fingerprint:sha-256 ${digest}\r\n`;
};

test('SE-9 is the same whichever side makes it, and the same in every version of this code', async () => {
  const code = await securityCode(sdpWith(1, 2, 3), sdpWith(4, 5, 6));
  expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
  expect(await securityCode(sdpWith(4, 5, 6), sdpWith(1, 2, 3))).toBe(code);
  expect(code).toBe('5A59G-S7GPK');
});

test('SE-9 is another one for another certificate at either end', async () => {
  const codes = await Promise.all([
    securityCode(sdpWith(1), sdpWith(2)),
    securityCode(sdpWith(1), sdpWith(3)),
    securityCode(sdpWith(4), sdpWith(2)),
  ]);
  expect(new Set(codes).size).toBe(3);
});
