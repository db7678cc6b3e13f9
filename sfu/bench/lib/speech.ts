import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Samples a second of everything here, as WebRTC takes them. */
export const sampleRate = 48_000;

/** A voice of espeak-ng, as its command line names it: language and variant, words a minute, pitch from 0 to 99. */
export type SpeechVoice = { readonly name: string; readonly speed: number; readonly pitch: number };

/** Ten people who sound different. */
export const speechVoices: readonly SpeechVoice[] = [
  { name: 'en-us+m3', speed: 165, pitch: 40 },
  { name: 'en-gb+f2', speed: 175, pitch: 55 },
  { name: 'en-gb-scotland+m1', speed: 160, pitch: 35 },
  { name: 'en-us+f4', speed: 180, pitch: 60 },
  { name: 'en-gb-x-rp+m5', speed: 150, pitch: 30 },
  { name: 'en-us+f1', speed: 170, pitch: 50 },
  { name: 'en-029+m7', speed: 155, pitch: 45 },
  { name: 'en-gb+f3', speed: 190, pitch: 65 },
  { name: 'en-us+m2', speed: 175, pitch: 38 },
  { name: 'en-gb+f5', speed: 160, pitch: 58 },
];

const run = promisify(execFile);

/** Longest that one sentence may take to be spoken into memory, in milliseconds. */
const patienceMs = 20_000;
/** A sentence of some seconds is some hundred kilobytes. */
const mostBytes = 16 * 1024 * 1024;

/** Speaks a text, as mono samples of 16 bits at `sampleRate`. Ends the process with a plain word where espeak-ng is missing. */
export const speak = async (text: string, { name, speed, pitch }: SpeechVoice): Promise<Int16Array> => {
  const options = ['-v', name, '-s', String(speed), '-p', String(pitch), '--stdout', text];
  try {
    const { stdout } = await run('espeak-ng', options, {
      encoding: 'buffer',
      maxBuffer: mostBytes,
      timeout: patienceMs,
    });
    return resample(samplesOf(stdout));
  } catch (error) {
    if (!String(error).includes('ENOENT')) throw error;
    console.error('There is no espeak-ng on this machine: install it (`apt-get install espeak-ng`), and try again.');
    process.exit(1);
  }
};

type Pcm = { readonly rate: number; readonly samples: Int16Array };

/** Mono PCM from a WAVE file whose lengths are not filled in, as it was written to a pipe. */
const samplesOf = (wave: Buffer): Pcm => {
  const data = wave.indexOf('data', 12, 'latin1');
  if (wave.toString('latin1', 0, 4) !== 'RIFF' || data < 0)
    throw new Error('espeak-ng did not answer with a WAVE file');
  const body = wave.subarray(data + 8);
  const samples = new Int16Array(Math.floor(body.length / 2));
  for (let index = 0; index < samples.length; index += 1) samples[index] = body.readInt16LE(2 * index);
  return { rate: wave.readUInt32LE(24), samples };
};

/** Linear interpolation: what it adds is far below the voice, and above what speech has. */
const resample = ({ rate, samples }: Pcm): Int16Array => {
  const resampled = new Int16Array(Math.floor((samples.length * sampleRate) / rate));
  for (let index = 0; index < resampled.length; index += 1) {
    const position = (index * rate) / sampleRate;
    const before = Math.floor(position);
    const from = samples[before] ?? 0;
    resampled[index] = Math.round(from + ((samples[before + 1] ?? from) - from) * (position - before));
  }
  return resampled;
};

/** 0 dBov (RFC 6464): the loudest that a sample can be. */
const fullScale = 0x7fff;
/** What the header extension says of silence. */
const silentDbov = -127;

/** The level of some samples in dBov, as libwebrtc computes it for the header extension (RFC 6464). */
export const levelOf = (samples: Int16Array, from = 0, to = samples.length): number => {
  let power = 0;
  for (let index = from; index < to; index += 1) power += (samples[index] ?? 0) ** 2;
  const mean = power / Math.max(1, to - from);
  return mean === 0 ? silentDbov : Math.max(silentDbov, Math.min(0, 10 * Math.log10(mean / fullScale ** 2)));
};
