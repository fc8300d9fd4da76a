// Which files are worth searching, and how: by path alone.
import type { RuleKinds } from './search.ts';

/** Formats that hold no text of people: media, fonts, compiled code, compressed data. */
const SKIPPED_TYPES = new Set(
  `png jpg jpeg gif webp avif bmp ico icns tif tiff psd svgz mp3 mp4 m4a mkv webm mov avi ogg oga ogv wav flac aac
  ttf otf woff woff2 eot pfb afm pcf so a o ko la lo pyc pyo class dex elc mo gmo qm wasm node dll exe pdb dylib
  xz bz2 zst lz4 lzma br 7z rar rpm deb cab iso img qcow2 vmdk gpg kbx db sqlite sqlite3 dat bin
  pdf ps eps dvi tfm vf hyb map`
    .split(/\s+/)
    .filter(Boolean),
);

/** Kernel file systems, package databases, and what distributions ship by the thousand: docs, locales, icons, … */
const SKIPPED_FOLDERS =
  /^(?:proc|sys|dev|var\/lib\/(?:dpkg|apt|rpm|yum|dnf)|var\/cache\/(?:apt|yum|dnf|man|fontconfig|debconf)|lib\/apk|usr\/share\/(?:doc|man|info|locale|i18n|zoneinfo|fonts|icons|mime|misc|common-licenses|terminfo|X11|bash-completion|perl|perl5)|usr\/lib\/(?:locale|gconv|terminfo|firmware|modules))\//;

/** Tests and examples inside somebody else's package hold keys that were made to be public. */
const PACKAGE_TESTS =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|gems|pkg\/mod|lib\/python\d[\d.]{0,6}|vendor\/bundle)\/(?:[^/]{1,200}\/){0,40}(?:tests?|__tests__|testing|testdata|test_data|test-data|fixtures|examples?|samples?|docs?|specs?|benchmarks?)\//;

const CONFIGURATION =
  /(?:^|\/)(?:\.env(?:\.[\w.-]{1,40})?|[^/]{0,200}\.(?:env|ya?ml|ini|conf|cfg|cnf|config|properties|toml|tfvars|tfstate|secrets?|credentials|htaccess|rc)|\.?(?:credentials|secrets?|s3cfg|boto|netrc|pgpass|my\.cnf|wgetrc|curlrc|gitconfig|dockercfg)|(?:appsettings|secrets|credentials|config|settings|local|production|development)(?:\.[\w-]{1,40})?\.(?:json|php|py|rb|js))$/i;

const LOCK_FILES =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|poetry\.lock|pdm\.lock|uv\.lock|Pipfile\.lock|composer\.lock|Gemfile\.lock|Cargo\.lock|go\.sum|mix\.lock|pubspec\.lock|Package\.resolved|packages\.lock\.json|flake\.lock|bun\.lock|deno\.lock)$/;

const MINIFIED = /(?:\.min\.(?:js|css|mjs)|\.bundle\.js|-min\.js|\.chunk\.js|\.svg|\.csv|\.tsv)$/i;

const ARCHIVES = /\.(?:zip|jar|war|ear|whl|egg|nupkg|tar|tgz|tar\.gz|gz)$/i;

/** Folders in which also a file of an operating-system package is searched: people change what is there. */
const CHANGED_BY_PEOPLE = /^(?:etc|root|home|opt|srv|var\/www)\//;

/** How the file at a path is searched; undefined when it is not. */
export function searchKinds(path: string): RuleKinds | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  if (dot > 0 && SKIPPED_TYPES.has(name.slice(dot + 1).toLowerCase())) return undefined;
  if (SKIPPED_FOLDERS.test(path) || PACKAGE_TESTS.test(path)) return undefined;
  // Names in minified code and lock files stand beside hashes of all kinds; tokens are known by their own form.
  const named = !MINIFIED.test(name) && !LOCK_FILES.test(path);
  return { token: true, assigned: named, generic: named && CONFIGURATION.test(path) };
}

/** Could the file be an archive whose files are searched? */
export function isArchivePath(path: string): boolean {
  return ARCHIVES.test(path);
}

/** Is a file here left out when an operating-system package of the same layer owns it? */
export function isLeftToPackages(path: string): boolean {
  return !CHANGED_BY_PEOPLE.test(path);
}
