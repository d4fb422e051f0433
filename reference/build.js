// Builds the reference that the shop serves at /docs/ from schema/schema.graphql and
// docs/schema-changelog.md: SpectaQL writes one page of everything, which is cut into pages of one
// kind each, with links between them and an index to search.
//
//   shop/reference/pages   what stands inside the shop's own frame (shop/templates/reference.html)
//   shop/static/reference  the style, the script, MiniSearch and its index
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { load } from 'cheerio';
import { buildSchema, isEnumType, isInputObjectType, isScalarType } from 'graphql';
import { marked } from 'marked';
import MiniSearch from 'minisearch';
import { OPTIONS, entry } from './src/index.js';

const SDL = '../schema/schema.graphql';
const CHANGES = '../docs/schema-changelog.md';
const PAGES = '../shop/reference/pages';
const STATIC = '../shop/static/reference';

const sdl = readFileSync(SDL, 'utf8');
const changes = readFileSync(CHANGES, 'utf8');
const schema = buildSchema(sdl);
const roots = new Set([schema.getQueryType().name, schema.getMutationType().name]);

execFileSync('npx', ['--no-install', 'spectaql', 'spectaql.yml'], { stdio: ['ignore', 'ignore', 'inherit'] });
const $ = load(readFileSync('node_modules/.spectaql/index.html', 'utf8'));

// Where each section goes, and what it is called there.
const sections = $('section.operation, section.definition')
  .toArray()
  .map((element) => {
    const id = element.attribs.id;
    const name = id.replace(/^[a-z]+-/, '');
    return { element, id, name, page: pageOf(id, name) };
  })
  .filter(({ name }) => !roots.has(name));
const pageById = new Map(sections.map(({ id, page }) => [id, page]));
const idByName = new Map(sections.map(({ id, name }) => [name, id]));

function pageOf(id, name) {
  if (id.startsWith('query-')) return 'queries';
  if (id.startsWith('mutation-')) return 'mutations';
  const type = schema.getType(name);
  if (isInputObjectType(type)) return 'inputs';
  return isEnumType(type) || isScalarType(type) ? 'values' : 'objects';
}

const address = (id) => `/docs/${pageById.get(id)}/#${id}`;

// Indentation is half of the page, and means something inside <pre> only.
const compact = (html) =>
  html
    .split(/(<pre[\s\S]*?<\/pre>)/)
    .map((part, index) => (index % 2 ? part : part.replace(/\s*\n\s*/g, '\n')))
    .join('');

rmSync(PAGES, { recursive: true, force: true });
rmSync(STATIC, { recursive: true, force: true });
mkdirSync(PAGES, { recursive: true });
mkdirSync(STATIC, { recursive: true });

const KINDS = ['queries', 'mutations', 'objects', 'inputs', 'values'];
const index = new MiniSearch(OPTIONS);
for (const page of KINDS) {
  const own = sections.filter((section) => section.page === page);
  const names = own.map(({ id, name }) => `<li><a href="#${id}">${name}</a></li>`).join('\n');
  const body = own.map(written).join('\n');
  write(page, `<nav class="names" aria-label="On this page"><ul>\n${names}\n</ul></nav>\n<main>\n${body}\n</main>\n`);
}
write('changes', `<main class="text">\n${linked(marked.parse(changes))}\n</main>\n`);

function written({ element, id, name, page }) {
  const section = $(element);
  section.removeAttr('data-traverse-target').removeAttr('class');
  section.find('.operation-group-name, .definition-group-name').remove();
  section.find('[style], [onclick]').removeAttr('style').removeAttr('onclick');
  section.find('h2').each((_, heading) => {
    $(heading).removeAttr('class').html(`<a href="#${id}"><code>${name}</code></a>`);
  });
  // It comes first, and needs no heading.
  section.find('h5:contains("Description")').remove();
  // The headings below are parts of a section, whatever their size in SpectaQL's own style.
  section.find('h4, h5').each((_, heading) => {
    heading.tagName = 'h3';
    $(heading).removeAttr('class');
  });
  section.find('a[href^="#"]').each((_, link) => {
    const target = link.attribs.href.slice(1);
    if (target !== id && pageById.has(target)) link.attribs.href = pageById.get(target) === page ? `#${target}` : address(target);
    else if (target !== id) $(link).replaceWith($(link).html());
  });
  // A table that is wider than a phone is moved by itself.
  section.find('table').wrap('<div class="wide"></div>');
  index.add(entry(documentOf(id, name, page)));
  return compact($.html(section));
}

// What is searched: a section's name, the names inside it, and the words about it.
function documentOf(id, name, page) {
  const found = page === 'queries' ? schema.getQueryType().getFields()[name]
    : page === 'mutations' ? schema.getMutationType().getFields()[name]
    : schema.getType(name);
  const inside = found.args ?? (found.getValues ? found.getValues() : Object.values(found.getFields?.() ?? {}));
  return {
    id: address(id),
    name,
    kind: page,
    about: (found.description ?? '').replaceAll('`', ''),
    inside: inside.map((item) => item.name).join(' '),
  };
}

// Names in the changelog lead to what they name.
function linked(html) {
  const text = load(html, null, false);
  text('li code').each((_, code) => {
    const id = idByName.get(text(code).text().split('.')[0]);
    if (id) text(code).wrap(`<a href="${address(id)}"></a>`);
  });
  return text.html();
}

function write(name, html) {
  writeFileSync(`${PAGES}/${name}.html`, html);
}

const digest = (text) => createHash('sha256').update(text).digest('hex');
const counts = Object.fromEntries(KINDS.map((kind) => [kind, sections.filter(({ page }) => page === kind).length]));
writeFileSync(`${PAGES}/built.json`, `${JSON.stringify({ sdl: digest(sdl), changes: digest(changes), counts }, null, 2)}\n`);
writeFileSync(`${STATIC}/index.json`, JSON.stringify(index));
for (const name of ['index.js', 'reference.css', 'reference.js']) copyFileSync(`src/${name}`, `${STATIC}/${name}`);
copyFileSync('node_modules/minisearch/dist/es/index.js', `${STATIC}/minisearch.js`);
copyFileSync('node_modules/minisearch/LICENSE.txt', `${STATIC}/LICENSE.txt`);
console.log(counts);
