import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressPart } from '../../src/people/addresses.ts';
import { createTracer, deviceCookie, deviceIdFrom } from '../../src/people/traces.ts';
import { newId } from '../../src/runtime/ids.ts';

const secret = randomBytes(32);
const hashOf = (address: string, key = secret) =>
  createTracer(key).tracesOf({ address, cookie: undefined }).addressHash;

const group = fc.nat(0xffff);
const hex = (groups: readonly number[]): string => groups.map((each) => each.toString(16)).join(':');

describe('network addresses', () => {
  it('MO-2 tells people apart by IPv4 address and by IPv6 prefix of 64 bits', () => {
    expect(addressPart('203.0.113.9')).toBe('203.0.113.9');
    expect(addressPart('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(addressPart('2001:DB8:0001:0002::')).toBe('2001:db8:1:2::/64');
    expect(addressPart('2001:db8::1')).toBe('2001:db8:0:0::/64');
    expect(addressPart('::1')).toBe('0:0:0:0::/64');
    expect(addressPart('::')).toBe('0:0:0:0::/64');
    expect(addressPart('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(addressPart('::ffff:203.0.113.9')).toBe('203.0.113.9');
    expect(addressPart('::ffff:cb00:7109')).toBe('203.0.113.9');
    expect(addressPart('0:0:0:0:0:FFFF:203.0.113.9')).toBe('203.0.113.9');
    expect(addressPart('64:ff9b::203.0.113.9')).toBe('64:ff9b:0:0::/64');
  });

  it('MO-2 has no trace of what is no address', () => {
    for (const text of [
      '',
      'localhost',
      '203.0.113',
      '203.0.113.9:80',
      '[::1]',
      '1:2:3',
      '::ffff:999.1.1.1',
      'unix:',
    ]) {
      expect(addressPart(text), text).toBeUndefined();
      expect(createTracer(secret).tracesOf({ address: text, cookie: undefined })).toEqual({});
    }
  });

  it('MO-2 hashes addresses of one /64 alike, however they are written, and others apart', () => {
    const four = fc.tuple(group, group, group, group);
    fc.assert(
      fc.property(four, four, four, (prefix, one, two) => {
        fc.pre(prefix.some((each) => each !== 0));
        const written = hex([...prefix, ...one]);
        expect(hashOf(hex([...prefix, ...two]))).toBe(hashOf(written));
        expect(hashOf(written.toUpperCase())).toBe(hashOf(written));
        expect(hashOf(`${hex(prefix)}::`)).toBe(hashOf(written));
      }),
    );
    fc.assert(
      fc.property(four, four, (one, two) => {
        fc.pre(hex(one) !== hex(two) && one.some((each) => each !== 0) && two.some((each) => each !== 0));
        expect(hashOf(`${hex(one)}::1`)).not.toBe(hashOf(`${hex(two)}::1`));
      }),
    );
  });

  it('MO-2 hashes an IPv4 address alike when a dual-stack socket reports it, and others apart', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), (one, two) => {
        expect(hashOf(`::ffff:${one}`)).toBe(hashOf(one));
        if (one !== two) expect(hashOf(two)).not.toBe(hashOf(one));
      }),
    );
    fc.assert(fc.property(fc.ipV6(), (address) => void expect(addressPart(address)).toBeDefined()));
  });

  it('MO-2 keeps no address: a hash of 22 characters under a key of its own', () => {
    const hash = hashOf('203.0.113.9');
    expect(hash).toMatch(/^[\w-]{22}$/);
    expect(hashOf('203.0.113.9')).toBe(hash);
    expect(hashOf('203.0.113.9', randomBytes(32))).not.toBe(hash);
  });
});

describe('the device cookie', () => {
  it('MO-2 comes back as it was set', () => {
    const deviceId = newId();
    const cookie = deviceCookie(deviceId, { secure: true });
    const [pair = '', ...attributes] = cookie.split('; ');
    expect(attributes).toEqual(['Path=/', 'Max-Age=2592000', 'HttpOnly', 'SameSite=Lax', 'Secure']);
    expect(deviceCookie(deviceId, { secure: false })).toBe(cookie.replace('; Secure', ''));
    expect(deviceIdFrom(pair)).toBe(deviceId);
    expect(deviceIdFrom(`theme=dark; ${pair};lang=en`)).toBe(deviceId);
    expect(createTracer(secret).tracesOf({ address: '?', cookie: pair })).toEqual({ deviceId });
  });

  it('MO-2 is not believed when it is none of ours', () => {
    const deviceId = newId();
    const wrong = [
      '',
      ';;=;',
      'rostrum_device',
      'rostrum_device=',
      `rostrum_device=${deviceId}x`,
      'rostrum_device=a b',
    ];
    for (const cookie of [undefined, ...wrong, `xrostrum_device=${deviceId}`, `rostrum_device="${deviceId}"`])
      expect(deviceIdFrom(cookie), cookie).toBeUndefined();
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (cookie) => void deviceIdFrom(cookie)));
  });
});
