import { lazily } from '../../ui/lazy.tsx';
import type { ReportSheetProps } from './report-sheet.tsx';
import type { RulesSheetProps } from './rules-sheet.tsx';

// Few people open these, so neither they nor their words are in the first load (WB-7).
export const LazyRulesSheet = lazily<RulesSheetProps>(async (language) => {
  const [{ RulesSheet }, { rules }] = await Promise.all([import('./rules-sheet.tsx'), language.safety()]);
  return (props) => <RulesSheet {...props} words={rules} />;
});

export const LazyReportSheet = lazily<ReportSheetProps>(async (language) => {
  const [{ ReportSheet }, { report }] = await Promise.all([import('./report-sheet.tsx'), language.safety()]);
  return (props) => <ReportSheet {...props} words={report} />;
});
