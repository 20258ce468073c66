// Syntax highlighting: a small tokenizer for common languages. Each pattern consumes what it begins to match, so that
// the time is linear in the length of any text.

/** Longer blocks are not highlighted, in characters. */
const MOST = 20 * 1024;

const STRING = '"(?:[^"\\\\\\n]|\\\\[^])*"?';
const SINGLE = "'(?:[^'\\\\\\n]|\\\\[^])*'?";
const TEMPLATE = '`(?:[^`\\\\]|\\\\[^])*`?';
const SLASHES = '\\/\\/[^\\n]*';
const BLOCK = '\\/\\*[^]*?(?:\\*\\/|$)';
const HASH = '#[^\\n]*';
const NUMBER = '\\b(?:0[xXbBoO][\\da-fA-F_]+|\\d[\\d_]*(?:\\.\\d[\\d_]*)?(?:[eE][+-]?\\d+)?)[a-zA-Z]{0,4}\\d{0,2}\\b';
const WORD = '[A-Za-z_$][\\w$]*';

const C_LIKE = 'break case catch class const continue default do else enum extends false final finally for if import in instanceof interface new null package private protected public return static super switch this throw true try void while';

const LANGUAGES = {
  rust: { c: [SLASHES, BLOCK], s: ['\\bb?r(#{0,16})"[^]*?(?:"\\1|$)', `b?${STRING}`, "b?'(?:\\\\[^][^'\\n]{0,8}|[^'\\\\\\n])'"], k: 'as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref return self Self static struct super trait true type unsafe use where while', f: ["'[a-z_]\\w*(?!['\\w])", '\\b\\w{1,64}!(?=[(\\[{])'] },
  js: { c: [SLASHES, BLOCK], s: [STRING, SINGLE, TEMPLATE], k: `${C_LIKE} abstract any as async await boolean debugger declare delete export from function get implements infer is keyof let namespace never number object of readonly set string symbol type typeof undefined unknown var with yield` },
  json: { c: [SLASHES, BLOCK], f: ['"(?:[^"\\\\\\n]|\\\\[^])*"(?=\\s{0,8}:)'], s: [STRING], k: 'true false null' },
  python: { c: [HASH], s: ['[rbfuRBFU]{0,2}"""[^]*?(?:"""|$)', "[rbfuRBFU]{0,2}'''[^]*?(?:'''|$)", `\\b[rbfuRBFU]{1,2}(?:${STRING}|${SINGLE})`, STRING, SINGLE], k: 'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda match case nonlocal not or pass raise return self try while with yield', f: ['@[\\w.]+'] },
  ruby: { c: [HASH], s: [STRING, SINGLE, ':[a-zA-Z_]\\w*[?!]?'], k: 'BEGIN END alias and begin break case class def defined do else elsif end ensure false for if in module next nil not or private protected public raise redo require rescue retry return self super then true undef unless until when while yield attr_accessor attr_reader', f: ['@@?\\w+'] },
  go: { c: [SLASHES, BLOCK], s: [STRING, SINGLE, TEMPLATE], k: 'bool break byte case chan const continue default defer else error fallthrough false float64 for func go goto if import int int64 interface iota map nil package range return rune select string struct switch true type uint var' },
  java: { c: [SLASHES, BLOCK], s: ['"""[^]*?(?:"""|$)', `\\$?@?${STRING}`, SINGLE], k: `${C_LIKE} abstract as async await base bool boolean by byte char companion data decimal delegate double event float foreach fun get int internal is it let lock long namespace object operator out override params record ref sealed set short sizeof string struct suspend throws typeof using val var virtual when where yield`, f: ['@\\w+'] },
  c: { c: [SLASHES, BLOCK], s: [STRING, SINGLE], k: `${C_LIKE} auto bool char constexpr decltype delete double explicit extern float friend goto inline int long mutable namespace noexcept nullptr operator override register restrict short signed sizeof size_t std struct template typedef typename union unsigned using virtual volatile`, f: ['#[ \\t]{0,8}[a-z]+'] },
  sh: { c: ['(?<![\\w$&])#[^\\n]*'], s: [STRING, "'[^']*'?"], k: 'if then else elif fi for while until do done case esac in function return exit export local readonly set unset source alias echo cd sudo eval exec trap shift test', f: ['\\$\\{[^}\\n]*\\}?', '\\$[\\w@#?*!-]+', '(?<![\\w-])--?[a-zA-Z][\\w-]*'] },
  sql: { any: true, c: ['--[^\\n]*', BLOCK], s: ["'(?:[^']|'')*'?", '"[^"\\n]*"?'], k: 'add all alter and as asc begin between bigint boolean by case cascade check column commit constraint create cross current_date default delete desc distinct drop else end exists explain false foreign from full function group having if in index inner insert int integer into is join key left like limit not null numeric offset on or order outer over partition primary references returning right rollback select serial set table text then timestamp transaction true union unique update using values varchar view when where with' },
  css: { c: [BLOCK], s: [STRING, SINGLE], k: '', f: ['--[\\w-]+', '(?<![\\w-])[a-z-]{1,64}(?=[ \\t]{0,8}:)'], n: ['#[\\da-fA-F]{3,8}\\b', '-?\\b\\d+(?:\\.\\d+)?(?:[a-z]{1,4}\\b|%)?'], extra: ['@[\\w-]+', '![a-z]+'] },
  yaml: { c: ['(?<![^\\s])#[^\\n]*'], f: ['(?<=^|\\n|- )[ \\t]{0,64}[\\w./-]+(?=[ \\t]{0,8}[:=](?:\\s|$))', '(?<=^|\\n)\\[[^\\]\\n]*\\]', '[&*][\\w-]+'], s: ['"""[^]*?(?:"""|$)', STRING, SINGLE], k: 'true false null yes no on off' },
  php: { c: [SLASHES, HASH, BLOCK], s: [STRING, SINGLE], k: `${C_LIKE} abstract array as callable clone declare echo elseif endforeach endif extends fn foreach function global implements include isset list match mixed namespace print readonly require string int trait unset use var yield`, f: ['\\$\\w+'], extra: ['<\\?(?:php|=)?', '\\?>'] },
  swift: { c: [SLASHES, BLOCK], s: ['"""[^]*?(?:"""|$)', STRING], k: `${C_LIKE} actor any as async associatedtype await defer deinit extension fallthrough fileprivate func guard init inout internal is lazy let mutating nil open operator override protocol repeat rethrows self Self some struct subscript throws typealias var weak where`, f: ['@\\w+', '#\\w+'] },
};

const ALIASES = {
  rs: 'rust', javascript: 'js', jsx: 'js', ts: 'js', typescript: 'js', tsx: 'js', mjs: 'js', jsonc: 'json', json5: 'json', py: 'python', python3: 'python', rb: 'ruby', golang: 'go', kotlin: 'java', kt: 'java', cs: 'java', csharp: 'java', 'c#': 'java', scala: 'java', dart: 'java',
  'c++': 'c', cpp: 'c', cc: 'c', h: 'c', hpp: 'c', objc: 'c', zig: 'c', bash: 'sh', shell: 'sh', zsh: 'sh', console: 'sh', dockerfile: 'sh', make: 'sh', makefile: 'sh', postgres: 'sql', postgresql: 'sql', mysql: 'sql', sqlite: 'sql', scss: 'css', less: 'css', yml: 'yaml', toml: 'yaml', ini: 'yaml',
  html: 'html', xml: 'html', svg: 'html', vue: 'html', htm: 'html', diff: 'diff', patch: 'diff',
};

const ready = new Map();

/** One expression per language, with a group for each kind of token. Other words are skipped as a whole. */
function grammar(name) {
  if (!ready.has(name)) {
    const { c = [], s = [], f = [], n = [], extra = [], any = false } = LANGUAGES[name];
    const group = (kind, parts) => (parts.length ? `(?<${kind}>${parts.join('|')})` : null);
    // Inner groups shift the numbers: only Rust's pattern has one, and named groups keep the kinds apart.
    const parts = [group('c', c), group('f', f), group('s', s), group('k', extra), group('n', [...n, NUMBER]), `(?<w>${WORD})`];
    ready.set(name, { pattern: new RegExp(parts.filter(Boolean).join('|').replaceAll('\\1', name === 'rust' ? `\\${rawString(c, f)}` : '\\1'), 'g'), words: new Set(LANGUAGES[name].k.split(' ')), any });
  }
  return ready.get(name);
}

/** The number of the group that holds the hashes of a raw string: after those of comments, names and strings. */
const rawString = (c, f) => 2 + Number(c.length > 0) + Number(f.length > 0);

/** `[text, kind]` of each token; plain text has no kind. */
function tokens(text, name) {
  const { pattern, words, any } = grammar(name);
  const found = [];
  let from = 0;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    if (!match[0]) {
      pattern.lastIndex += 1;
      continue;
    }
    const kind = kindOf(match, text, words, any, pattern.lastIndex);
    if (!kind) continue;
    if (match.index > from) found.push([text.slice(from, match.index)]);
    found.push([match[0], kind]);
    from = pattern.lastIndex;
  }
  if (from < text.length) found.push([text.slice(from)]);
  return found;
}

function kindOf({ groups }, text, words, any, end) {
  if (groups.w === undefined) return ['c', 'f', 's', 'k', 'n'].find((kind) => groups[kind] !== undefined);
  if (words.has(any ? groups.w.toLowerCase() : groups.w)) return 'k';
  return text[end] === '(' ? 'f' : '';
}

/** Tags of HTML and XML; the text between them is plain. */
function markup(text) {
  const found = [];
  const pattern = /(<!--[^]*?(?:-->|$))|(<[/!?]?[A-Za-z][\w:.-]*)([^<>]*)(>?)/g;
  let from = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const [whole, comment, tag, inside, end] = match;
    if (match.index > from) found.push([text.slice(from, match.index)]);
    if (comment) found.push([comment, 'c']);
    else {
      found.push([tag, 'k']);
      for (const [part, value, name] of inside.matchAll(/("[^"]*"?|'[^']*'?)|([\w:@.-]+)|[^\w:@."'-]+/g)) found.push([part, value ? 's' : name ? 'f' : '']);
      if (end) found.push([end, 'k']);
    }
    from = match.index + whole.length;
  }
  if (from < text.length) found.push([text.slice(from)]);
  return found;
}

const CHANGES = { '+': 's', '-': 'k', '@': 'c' };

const changes = (text) => text.split(/(?<=\n)/).map((line) => [line, CHANGES[line[0]]]);

function tokenized(text, language) {
  const name = ALIASES[language] || language;
  if (name === 'html') return markup(text);
  if (name === 'diff') return changes(text);
  return name in LANGUAGES ? tokens(text, name) : null;
}

/** Highlights each block of code that names its language. */
export function highlight(element) {
  for (const code of element.querySelectorAll('pre > code[class^="language-"]')) {
    const text = code.textContent;
    if (code.dataset.coloured || text.length > MOST) continue;
    const found = tokenized(text, code.className.slice('language-'.length).toLowerCase());
    if (!found) continue;
    code.dataset.coloured = 'yes';
    code.replaceChildren(...found.map(([part, kind]) => {
      if (!kind) return part;
      const span = document.createElement('span');
      span.className = `hl-${kind}`;
      span.textContent = part;
      return span;
    }));
  }
}
