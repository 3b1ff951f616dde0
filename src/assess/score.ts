// Computes verdict, score and reasons from the facts. The score is value × feasibility ×
// confidence. Each factor names the rules from which it is computed.
import type { ProcessFacts } from './facts.js';
import { RULES } from './rules/index.js';
import type { Answer, Part } from './rules/rule.js';

export type AssessVerdict = 'migrate' | 'migrate-after' | 'do-not-migrate';

export interface TraceLine {
  readonly id: string;
  readonly part: Part;
  readonly weight: number;
  readonly rationale: string;
  readonly answer: Answer;
}

export interface Share {
  readonly score: number;
  readonly parts: readonly { readonly id: string; readonly says: string; readonly grade: number }[];
}

export interface Judgement {
  readonly verdict: AssessVerdict;
  /** A number from 0 to 100. */
  readonly score: number;
  readonly value: Share;
  readonly feasibility: Share;
  readonly confidence: Share;
  /** The rules that fired and that forbid a migration. One such rule is enough. */
  readonly decidedBy: readonly string[];
  /** The work that must be done before a migration. Empty for `migrate`. */
  readonly work: readonly { readonly rule: string; readonly what: string }[];
  readonly trace: readonly TraceLine[];
  /** Sentences about answers that would change the verdict. */
  readonly sensitivity: readonly string[];
}

/** The verdict is never `migrate` below this confidence. */
const ENOUGH_KNOWN = 0.6;

export function judge(facts: ProcessFacts): Judgement {
  const trace = RULES.map(({ id, part, weight, rationale, ask }) => ({
    id,
    part,
    weight,
    rationale,
    answer: ask(facts),
  }));
  const { verdict, decidedBy, work } = decide(trace);
  const [value, feasibility, confidence] = [
    valueOf(trace),
    feasibilityOf(trace),
    confidenceOf(trace),
  ];
  return {
    verdict,
    score: Math.round(100 * value.score * feasibility.score * confidence.score),
    value,
    feasibility,
    confidence,
    decidedBy,
    work,
    trace,
    sensitivity: sensitivityOf(trace, verdict),
  };
}

function decide(trace: readonly TraceLine[]): Pick<Judgement, 'verdict' | 'decidedBy' | 'work'> {
  const deciding = trace.filter((t) => t.answer.state === 'fired' && t.answer.decides);
  // the heaviest reason comes first
  const decidedBy = [...deciding].sort((a, b) => b.weight - a.weight).map((t) => t.id);
  const work = trace.flatMap((t) =>
    t.answer.state === 'fired' && t.answer.work ? [{ rule: t.id, what: t.answer.work }] : [],
  );
  const open = trace.filter((t) => t.answer.state === 'could-not-tell');
  if (decidedBy.length > 0) return { verdict: 'do-not-migrate', decidedBy, work };
  const isGuess = confidenceOf(trace).score < ENOUGH_KNOWN;
  const toFind = isGuess
    ? open.map((t) => ({
        rule: t.id,
        what: `find out: ${t.answer.state === 'could-not-tell' ? t.answer.why : ''}`,
      }))
    : [];
  const all = [...work, ...toFind];
  return { verdict: all.length > 0 ? 'migrate-after' : 'migrate', decidedBy, work: all };
}

/**
 * Returns the weighted mean of the grades of the known answers. Unknown answers do not change it,
 * but lower the confidence.
 */
function valueOf(trace: readonly TraceLine[]): Share {
  const known = trace.filter((t) => t.part === 'value' && t.answer.state !== 'could-not-tell');
  const weight = known.reduce((sum, t) => sum + t.weight, 0);
  const parts = known.map((t) => ({
    id: t.id,
    says: evidenceOf(t.answer),
    grade: t.answer.state === 'fired' ? t.answer.grade : 0,
  }));
  const sum = known.reduce((total, t, at) => total + t.weight * parts[at]!.grade, 0);
  return { score: weight === 0 ? 0 : sum / weight, parts };
}

/** Returns the product of `1 - grade` of all rules about feasibility that fired. */
function feasibilityOf(trace: readonly TraceLine[]): Share {
  const parts = trace.flatMap((t) =>
    t.part === 'feasibility' && t.answer.state === 'fired'
      ? [{ id: t.id, says: t.answer.evidence, grade: 1 - t.answer.grade }]
      : [],
  );
  return { score: parts.reduce((product, p) => product * p.grade, 1), parts };
}

/** Returns the weighted share of the rules that could be answered. */
function confidenceOf(trace: readonly TraceLine[]): Share {
  const all = trace.reduce((sum, t) => sum + t.weight, 0);
  const open = trace.filter((t) => t.answer.state === 'could-not-tell');
  const lost = open.reduce((sum, t) => sum + t.weight, 0);
  return {
    score: (all - lost) / all,
    parts: open.map((t) => ({ id: t.id, says: evidenceOf(t.answer), grade: -t.weight / all })),
  };
}

function sensitivityOf(trace: readonly TraceLine[], verdict: AssessVerdict): string[] {
  const without = (ids: readonly string[]): AssessVerdict =>
    decide(
      trace.map((t) =>
        ids.includes(t.id) ? { ...t, answer: { state: 'not-fired', evidence: 'supposed' } } : t,
      ),
    ).verdict;
  const single = trace.filter(
    (t) => t.answer.state === 'fired' && (t.answer.decides || t.answer.work),
  );
  const found = single
    .filter((t) => without([t.id]) !== verdict)
    .map((t) => `${without([t.id])} if ${t.id} did not apply (${evidenceOf(t.answer)})`);
  if (found.length === 0 && single.length > 1 && without(single.map((t) => t.id)) !== verdict)
    found.push(
      `${without(single.map((t) => t.id))} only if none of ${single.map((t) => t.id).join(', ')} applied`,
    );
  const deciding = trace.filter(
    (t) => t.answer.state === 'could-not-tell' && t.part === 'feasibility' && t.weight >= 3,
  );
  if (verdict !== 'do-not-migrate')
    found.push(
      ...deciding.map(
        (t) => `could become do-not-migrate because of ${t.id}: ${evidenceOf(t.answer)}`,
      ),
    );
  return found;
}

export const evidenceOf = (answer: Answer): string =>
  answer.state === 'could-not-tell' ? answer.why : answer.evidence;
