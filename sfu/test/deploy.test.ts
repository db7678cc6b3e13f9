import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultLimits } from '@rostrum/shared/limits.ts';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { type Config, loadConfig } from '../src/config.ts';
import { limitNames, limitVariable, variables } from '../src/config-variables.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, 'deploy', file), 'utf8');

type Environment = Record<string, string>;
type Compose = {
  services: Record<
    string,
    {
      image: string;
      environment?: Record<string, string | number>;
      stop_grace_period?: string;
      network_mode?: string;
      volumes?: string[];
    }
  >;
};
type Probe = { httpGet: { path: string; port: string } };
type Container = {
  name: string;
  image: string;
  env: { name: string; value?: string }[];
  envFrom?: ({ configMapRef: { name: string } } | { secretRef: { name: string } })[];
  ports: { name: string; containerPort: number }[];
  readinessProbe: Probe;
  livenessProbe: Probe;
  startupProbe: Probe;
};
type Manifest = {
  kind: string;
  metadata: { name: string };
  data?: Environment;
  stringData?: Environment;
  spec?: {
    replicas?: number;
    selector?: { matchLabels?: Record<string, string>; app?: string };
    ports?: { port: number; targetPort: string }[];
    template?: {
      metadata: { labels: Record<string, string> };
      spec: {
        hostNetwork?: boolean;
        terminationGracePeriodSeconds?: number;
        automountServiceAccountToken?: boolean;
        enableServiceLinks?: boolean;
        securityContext: { runAsUser: number; runAsNonRoot?: boolean };
        containers: [Container];
      };
    };
  };
};

/** What an operator fills in. */
const secrets = { REDIS_PASSWORD: 'p'.repeat(32), AUTH_SECRET: 's'.repeat(64), TURN_SECRET: 't'.repeat(64) };
const filledIn = {
  ...secrets,
  PUBLIC_URL: 'https://rooms.example',
  MEDIA_ADDRESS: '203.0.113.9',
  TURN_HOST: 'turn.example',
};

/** A text of compose, with what stands for its variables (`${NAME}`, `${NAME:-standard}`, `${NAME:?what it is}`). */
const interpolated = (text: string, values: Record<string, string>): string =>
  text.replaceAll(/\$\{(\w+)(?::(-|\?)([^}]*))?\}/g, (_, name: string, kind: string | undefined, rest: string) => {
    const value = values[name] ?? (kind === '-' ? rest : undefined);
    if (value === undefined) throw new Error(`${name} is not filled in`);
    return value;
  });

const compose = parse(read('compose.yaml'), { merge: true }) as Compose;
const nodesOfCompose = ['node-a', 'node-b'].map((name) => {
  const service = compose.services[name];
  const environment = Object.entries(service?.environment ?? {});
  return Object.fromEntries(environment.map(([key, value]) => [key, interpolated(String(value), filledIn)]));
});

const manifestsOf = (file: string): Manifest[] =>
  parseAllDocuments(read(`kubernetes/${file}`))
    .map((document) => {
      expect([file, ...document.errors, ...document.warnings]).toEqual([file]);
      return document.toJS() as Manifest | null;
    })
    .filter((manifest) => manifest !== null);

const manifests = ['rostrum.yaml', 'redis.yaml', 'secret.example.yaml'].flatMap(manifestsOf);
const find = (kind: string, name: string): Manifest => {
  const found = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  expect([kind, name, found.length]).toEqual([kind, name, 1]);
  return found[0] as Manifest;
};
const podOf = (name: string) => {
  const template = find('Deployment', name).spec?.template;
  if (template === undefined) throw new Error(`${name} has no pod`);
  return template;
};

const podNames = ['rostrum-a', 'rostrum-b'];
/** The secrets as they are when an operator has filled them in. */
const filledInSecret = (text: string): string => text.replaceAll(/CHANGE-ME[\w-]*/g, 'p'.repeat(64));
const nodesOfKubernetes = podNames.map((name): Environment => {
  const [container] = podOf(name).spec.containers;
  const shared = (container.envFrom ?? []).map((from) =>
    'configMapRef' in from
      ? find('ConfigMap', from.configMapRef.name).data
      : find('Secret', from.secretRef.name).stringData,
  );
  const own = container.env.flatMap(({ name: key, value }) => (value === undefined ? [] : [{ [key]: value }]));
  const environment: Environment = Object.assign({}, ...shared, ...own);
  return Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, filledInSecret(value)]));
});

const configOf = (environment: Environment): Config => {
  const loaded = loadConfig(environment);
  expect(loaded.ok ? [] : loaded.problems).toEqual([]);
  if (!loaded.ok) throw new Error('not a configuration');
  return loaded.config;
};

const clusters: [string, Environment[]][] = [
  ['compose.yaml', nodesOfCompose],
  ['kubernetes', nodesOfKubernetes],
];

/** Seconds that main.ts gives a stop after the drain before the process ends all the same. */
const closeLimitS =
  Number(/closeLimitMs = ([\d_]+)/.exec(readFileSync(join(root, 'sfu/src/main.ts'), 'utf8'))?.[1]?.replace('_', '')) /
  1000;

describe.each(clusters)('OP-4 the cluster of %s', (_, nodes) => {
  it('OP-4 is a configuration that Rostrum takes, of variables that there are', () => {
    const known = new Set([...Object.values(variables).map(({ name }) => name), ...limitNames.map(limitVariable)]);
    for (const environment of nodes) {
      expect(Object.keys(environment).filter((name) => !known.has(name))).toEqual([]);
      const config = configOf(environment);
      expect(config.cluster?.redisUrl).toMatch(/^redis:\/\/:/);
      expect(config.trustedProxies).not.toEqual([]);
      expect(config.turn?.urls).not.toEqual([]);
    }
  });

  it('OP-4 has nodes that share secrets and Redis, and get in nobody’s way on one machine', () => {
    const configs = nodes.map(configOf);
    expect(configs).toHaveLength(2);
    for (const same of ['authSecret', 'publicUrl', 'turn', 'dataDir'] as const)
      expect(configs[1]?.[same], same).toEqual(configs[0]?.[same]);
    expect(new Set(configs.map(({ cluster }) => cluster?.nodeName)).size).toBe(2);
    const taken = configs.flatMap(({ port, mediaPort, workers, pipePorts, cluster }) => {
      if (cluster === undefined) throw new Error('no cluster');
      const { internalAddress } = cluster;
      return [
        [port, port],
        [mediaPort, mediaPort + workers - 1],
        [internalAddress.port, internalAddress.port],
        [pipePorts.min, pipePorts.max],
      ] as const;
    });
    const sorted = [...taken].sort(([one], [other]) => one - other);
    const overlaps = sorted.filter(([first], index) => index > 0 && first <= (sorted[index - 1]?.[1] ?? 0));
    expect(overlaps).toEqual([]);
    // A free port would do for a node, and no firewall could name it.
    expect(configs.every(({ cluster }) => (cluster?.internalAddress.port ?? 0) > 0)).toBe(true);
  });
});

describe('OP-2 stopping', () => {
  it('OP-2 is given more time than a node takes to see its people off and to close', () => {
    const needed = defaultLimits.drainMs / 1000 + closeLimitS;
    expect(needed).toBe(75);
    const graces = [
      ...['node-a', 'node-b'].map((name) => Number.parseInt(compose.services[name]?.stop_grace_period ?? '', 10)),
      ...podNames.map((name) => podOf(name).spec.terminationGracePeriodSeconds ?? 0),
      Number(/^TimeoutStopSec=(\d+)$/m.exec(read('systemd/rostrum@.service'))?.[1]),
    ];
    expect(graces).toHaveLength(5);
    for (const grace of graces) expect(grace).toBeGreaterThan(needed);
  });
});

describe('OP-1 compose and nginx', () => {
  it('OP-8 nginx knows the nodes, and both are on the network of the machine', () => {
    const ports = nodesOfCompose.map((environment) => environment['PORT']);
    const upstreams = [...read('nginx/nginx.conf').matchAll(/upstream \w+ \{([^}]*)\}/g)].map(([, block = '']) =>
      [...block.matchAll(/server 127\.0\.0\.1:(\d+)/g)].map(([, port]) => port),
    );
    expect(upstreams).toEqual([ports, ports]);
    for (const { network_mode } of Object.values(compose.services)) expect(network_mode).toBe('host');
  });

  it('mounts files that there are', () => {
    const mounts = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes);
    const files = mounts
      .map((mount) => interpolated(mount, {}).split(':')[0] ?? '')
      .filter((file) => file.startsWith('.'));
    expect(files).toContain('./nginx/nginx.conf');
    for (const file of files) expect([file, existsSync(join(root, 'deploy', file))]).toEqual([file, true]);
  });

  it('says what is to be filled in', () => {
    const wanted = [...read('compose.yaml').matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name);
    const named = [...read('compose.env.example').matchAll(/^(\w+)=/gm)].map(([, name]) => name);
    expect(named).toEqual(expect.arrayContaining([...new Set(wanted)]));
  });
});

describe('OP-1 Kubernetes', () => {
  it('OP-1 asks each node at its own port whether it takes people, and whether it lives', () => {
    for (const [index, name] of podNames.entries()) {
      const [container] = podOf(name).spec.containers;
      expect(podOf(name).spec.hostNetwork).toBe(true);
      expect(container.ports.map(({ containerPort }) => String(containerPort))).toEqual([
        nodesOfKubernetes[index]?.['PORT'],
      ]);
      for (const [probe, path] of [
        [container.readinessProbe, '/readyz'],
        [container.livenessProbe, '/healthz'],
        [container.startupProbe, '/healthz'],
      ] as const)
        expect(probe.httpGet).toEqual({ path, port: container.ports[0]?.name });
    }
    const routes = readFileSync(join(root, 'sfu/src/gateway/http/health-routes.ts'), 'utf8');
    for (const path of ['/readyz', '/healthz']) expect(routes).toContain(`'${path}'`);
  });

  it('OP-2 keeps one node serving, and finds both by the same labels', () => {
    const labels = podNames.map((name) => podOf(name).metadata.labels);
    const budget = find('PodDisruptionBudget', 'rostrum').spec?.selector?.matchLabels;
    const service = find('Service', 'rostrum').spec;
    expect(budget).toEqual({ app: 'rostrum' });
    expect(service?.selector).toEqual({ app: 'rostrum' });
    for (const { app } of labels) expect(app).toBe('rostrum');
    expect(service?.ports?.map(({ targetPort }) => targetPort)).toEqual(
      podOf('rostrum-a').spec.containers[0].ports.map(({ name }) => name),
    );
  });

  it('the two nodes are alike but for their name and ports', () => {
    const [a, b] = podNames.map((name) => {
      const spec = structuredClone(podOf(name).spec);
      for (const container of spec.containers) Object.assign(container, { env: [], ports: [] });
      return spec;
    });
    expect(b).toEqual(a);
  });

  it('SE-4 gives pods no more than they need, and no port at the public address of the machine', () => {
    for (const name of [...podNames, 'rostrum-redis']) {
      const { automountServiceAccountToken, enableServiceLinks, securityContext } = podOf(name).spec;
      expect({ name, automountServiceAccountToken, enableServiceLinks }).toEqual({
        name,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
      });
      expect(securityContext.runAsNonRoot).toBe(true);
    }
    for (const name of podNames) {
      const host = podOf(name).spec.containers[0].env.find((variable) => variable.name === 'HOST');
      expect(host).toMatchObject({ valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } });
    }
  });

  it('SE-4 holds no secret', () => {
    const given = manifests
      .filter(({ kind }) => kind === 'Secret')
      .flatMap(({ stringData }) => Object.values(stringData ?? {}));
    expect(given.length).toBeGreaterThan(0);
    for (const value of given) expect(value).toContain('CHANGE-ME');
  });

  it('SE-4 starts no node with the secrets of the example', () => {
    const { REDIS_URL = '', AUTH_SECRET = '', TURN_SECRET = '' } = find('Secret', 'rostrum').stringData ?? {};
    const [filled = {}] = nodesOfKubernetes;
    for (const left of [{ REDIS_URL }, { AUTH_SECRET }, { TURN_SECRET }])
      expect(loadConfig({ ...filled, ...left }), Object.keys(left).join()).toMatchObject({ ok: false });
  });
});

describe('OP-4 systemd', () => {
  it('OP-4 sets variables that there are, and starts what there is, as nobody in particular', () => {
    const unit = read('systemd/rostrum@.service');
    const set = [...unit.matchAll(/^Environment=(.*)$/gm)].flatMap(([, line = '']) => line.split(' '));
    const known = [...Object.values(variables).map(({ name }) => name), 'NODE_ENV', 'ROSTRUM_CACHE'];
    expect(set.length).toBeGreaterThan(0);
    for (const assignment of set) expect(known).toContain(assignment.split('=')[0]);
    const [, program = ''] = /^ExecStart=\/opt\/rostrum\/(\S+)$/m.exec(unit) ?? [];
    expect([program, existsSync(join(root, program))]).toEqual(['deploy/start', true]);
    expect(unit).toMatch(/^User=rostrum$/m);
    // The stop signal is for the server; it sees its people off while its media workers live.
    expect(unit).toMatch(/^KillMode=mixed$/m);
  });

  it('OP-4 is told of ports that get in nobody’s way, as in README.md', () => {
    const rows = [
      ...read('README.md').matchAll(
        /^\| `(PORT|MEDIA_PORT|INTERNAL_ADDRESS|PIPE_PORTS)` \| ([\d.:-]+) \| ([\d.:-]+) \|$/gm,
      ),
    ];
    const told = [2, 3].map((column) => Object.fromEntries(rows.map((row) => [row[1], row[column]])));
    const names = ['PORT', 'MEDIA_PORT', 'INTERNAL_ADDRESS', 'PIPE_PORTS'];
    expect(told).toEqual(
      nodesOfCompose.map((environment) => Object.fromEntries(names.map((name) => [name, environment[name]]))),
    );
  });
});

describe('images', () => {
  it('are pinned to a version', () => {
    const images = [
      ...Object.values(compose.services).map(({ image }) => image),
      ...manifests.flatMap(({ spec }) => spec?.template?.spec.containers.map(({ image }) => image) ?? []),
    ].filter((image) => image !== 'rostrum:local');
    expect(images.length).toBeGreaterThanOrEqual(6);
    for (const image of images) expect(image).toMatch(/:\d+\.\d+\.\d+[\w.-]*$/);
  });

  it('of Rostrum run the Node of the lockfile, as nobody in particular, with everything that the server reads', () => {
    const dockerfile = read('docker/Dockerfile');
    const lock = readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8');
    const node = /^ARG NODE=(.*)$/m.exec(dockerfile)?.[1];
    expect(lock).toContain(`\n  node@${node}:`);
    const stages = [...dockerfile.matchAll(/^FROM node:(\S+)/gm)].map(([, tag]) =>
      tag?.replace(/\$\{NODE\}/, String(node)),
    );
    expect(stages).toEqual([`${node}-bookworm`, `${node}-bookworm-slim`]);
    expect(dockerfile).toMatch(/^USER rostrum$/m);
    expect(dockerfile).toMatch(/^HEALTHCHECK /m);
    expect(dockerfile).toContain(`useradd --uid ${podOf('rostrum-a').spec.securityContext.runAsUser} `);
    // What is read beside the code (the script that Redis runs, the schema of the records) must not be left out of the image.
    const left = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    // What an operator fills in beside it is secret, and an image goes places.
    expect(left).toEqual(expect.arrayContaining(['**/.env', '**/secret.yaml']));
    expect(left.filter((line) => /lua|sql|\bsrc\b|\bdeploy\b/.test(line))).toEqual([]);
  });
});
