// One row for a package that is locked and installed in one folder; all others stay.
import { describe, expect, it } from 'vitest';
import { withoutInstalledTwice } from './locked-packages.ts';
import type { CatalogedPackage } from './types.ts';

function item(kind: CatalogedPackage['kind'], name: string, version: string, path: string): CatalogedPackage {
  return { kind, name, version, path };
}

describe('locked and installed packages', () => {
  it('leaves out what is installed below the lock file in the same version', () => {
    const installed = [
      item('npm', 'lodash', '4.17.15', 'app/node_modules/lodash/package.json'),
      item('npm', 'debug', '4.1.0', 'other/node_modules/debug/package.json'),
      item('pypi', 'Jinja2', '3.1.2', 'app/env/lib/site-packages/Jinja2-3.1.2.dist-info/METADATA'),
    ];
    const kept = [
      item('npm', 'lodash', '4.17.21', 'app/package-lock.json'),
      item('npm', 'debug', '4.1.0', 'app/package-lock.json'),
      item('cargo', 'lodash', '4.17.15', 'app/Cargo.lock'),
    ];
    const twice = [
      item('npm', 'lodash', '4.17.15', 'app/package-lock.json'),
      item('pypi', 'jinja2', '3.1.2', 'app/poetry.lock'),
    ];
    expect(withoutInstalledTwice([...installed, ...twice, ...kept])).toEqual([...installed, ...kept]);
  });
});
