// Could a file at this path be an executable? Decided by its extension, before any content is looked at.

/** Extensions of files that are not executables; they are passed by without a look. */
const NEVER_EXECUTABLE = new Set(
  (
    'a c cc cfg conf cpp css csv decTest dict eot gem gif gif gmo go gz h hpp htm html icns ico idx ini jar java jpeg jpg ' +
    'js json key list log lua man map md md5sums mjs mo o pack pdf pem pl pm png po pod properties py pyc pyi pyo rb rst ' +
    'scss sh shlibs sql svg symbols tcl templates toml triggers ts tsx ttf txt vim wasm whl woff woff2 xml xz yaml yml zip zst'
  ).split(' '),
);

/** Executables and shared libraries have no extension or an unusual one; time zones have none either. */
export function mayBeExecutable(path: string): boolean {
  const dot = path.lastIndexOf('.');
  if (dot <= path.lastIndexOf('/') + 1) return !path.startsWith('usr/share/zoneinfo/');
  return !NEVER_EXECUTABLE.has(path.slice(dot + 1));
}
