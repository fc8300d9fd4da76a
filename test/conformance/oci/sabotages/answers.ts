// Sabotages of error bodies and warnings.
import type { Sabotage } from '../broken-registry.ts';
import { after, each, json, on, set } from './breakage.ts';
import type { Change } from './breakage.ts';

const any = on('*', 'any');

/** Changes only refusals that have a JSON body. */
function refused(change: Change): Change {
  return (reply, ask) => {
    if (reply.status >= 400 && reply.body[0] === 0x7b) change(reply, ask);
  };
}

const code = (value: unknown) => refused(each('errors', (error) => (error['code'] = value)));

export const answerSabotages: readonly Sabotage[] = [
  after(
    'MUST-100',
    'gives one error bare',
    any,
    refused((reply) => (reply.body = Buffer.from('{"code":"DENIED"}'))),
  ),
  after('MUST-100', 'gives no errors', any, refused(json((value) => (value['errors'] = [])))),
  after(
    'MUST-100',
    'gives errors without code',
    any,
    refused(each('errors', (error) => delete error['code'])),
  ),
  after(
    'MUST-100',
    'gives numbers as messages',
    any,
    refused(each('errors', (error) => (error['message'] = 7))),
  ),
  after('MUST-101', 'uses small letters', any, code('blob_unknown')),
  after('MUST-101', 'uses dashes', any, code('BLOB-UNKNOWN')),
  after('MUST-102', 'makes a code up', any, code('OUT_OF_COFFEE')),
  after('MUST-103', 'warns with 199', any, set('warning', '199 - "old"')),
  after('MUST-104', 'warns in its own name', any, set('warning', '299 breakwater "old"')),
  after('MUST-105', 'dates its warnings', any, set('warning', '299 - "old" "Wed, 21 Oct 2015 07:28:00 GMT"')),
  after('MUST-106', 'warns at length', any, set('warning', `299 - "${'x'.repeat(4096)}"`)),
  after(
    'MUST-106',
    'warns often',
    any,
    set(
      'warning',
      Array.from({ length: 50 }, () => `299 - "${'x'.repeat(90)}"`),
    ),
  ),
];
