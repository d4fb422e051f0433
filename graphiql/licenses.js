// A Vite plugin that collects the licences of all packages in the bundle, the
// workers and the style sheets included, and writes them to LICENSE.txt.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const NOTICES = /^(licen[cs]e|copying|notice|thirdpartynotices)([-.]\w+)?$/i;

function packageOf(id) {
  let dir = dirname(id);
  while (dir !== dirname(dir) && dir.includes('node_modules')) {
    const file = join(dir, 'package.json');
    if (existsSync(file)) {
      const manifest = JSON.parse(readFileSync(file, 'utf8'));
      if (manifest.name && manifest.version) return { dir, ...manifest };
    }
    dir = dirname(dir);
  }
  return null;
}

function describe({ dir, name, version, license, author, repository }) {
  const by = typeof author === 'string' ? author : author?.name;
  const url = (typeof repository === 'string' ? repository : repository?.url)?.replace(/^git\+/, '');
  const head = [`${name} ${version}`, `License: ${license ?? 'see below'}`, by && `Author: ${by}`, url];
  const texts = readdirSync(dir)
    .filter((file) => NOTICES.test(file))
    .sort()
    .map((file) => readFileSync(join(dir, file), 'utf8').replace(/\r\n/g, '\n').trim());
  return [head.filter(Boolean).join('\n'), ...texts].join('\n\n');
}

export function licenses() {
  const packages = new Map();
  const add = (id) => {
    const path = id.replace(/^\0+/, '').replace(/\?.*$/, '');
    if (!path.includes('node_modules')) return;
    const found = packageOf(path);
    if (found) packages.set(`${found.name}@${found.version}`, found);
  };
  const collect = () => ({
    name: 'licenses:collect',
    transform: (_code, id) => {
      if (/\.css(\?|$)/.test(id)) add(id);
    },
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        for (const [id, module] of Object.entries(chunk.modules ?? {})) {
          if (module.renderedLength !== 0) add(id);
        }
      }
    },
  });
  return {
    collect,
    write: {
      name: 'licenses:write',
      enforce: 'post',
      generateBundle() {
        const rule = `\n\n${'-'.repeat(79)}\n\n`;
        const entries = [...packages.keys()].sort().map((key) => describe(packages.get(key)));
        const intro = 'The files in this folder contain the following packages.';
        const source = `${[intro, ...entries].join(rule)}\n`.replace(/[ \t]+$/gm, '');
        this.emitFile({ type: 'asset', fileName: 'LICENSE.txt', source });
      },
    },
  };
}
