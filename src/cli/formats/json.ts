// `-o json`: the scan report as it is; several reports (an index scanned for several platforms) make an array.
import type { ReportFormat } from './format.ts';

export const jsonFormat: ReportFormat = {
  render: (reports) => `${JSON.stringify(reports.length === 1 ? reports[0] : reports, null, 2)}\n`,
};
