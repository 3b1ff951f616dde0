// The page for stakeholders: nothing from outside becomes markup, nothing is loaded or run, and it
// stays small.
import { describe, expect, it } from 'vitest';
import { buildReport, type Report } from '../../src/report/build-report.js';
import { renderHtml } from '../../src/report/html.js';
import { renderMarkdown } from '../../src/report/markdown.js';
import { aSource } from '../support/report-source.js';

const EVIL = `</style><script>alert(1)</script><img src=x onerror="alert('2')">`;

const aReport = (windows: number, text?: string): Report =>
  buildReport(aSource(windows, text), { version: '1', showValues: false });

describe('the HTML report', () => {
  it('lets no text from outside become markup', () => {
    const html = renderHtml(aReport(3, EVIL));
    expect(html).not.toContain('<script');
    expect(html).not.toContain('<img');
    expect(html.match(/<\/style>/g)).toHaveLength(1);
    expect(renderMarkdown(aReport(3, EVIL))).not.toMatch(/[^\\]<script/);
  });
  it('loads and runs nothing', () => {
    const html = renderHtml(aReport(3));
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/<(script|link|iframe|object|img)\b|\son\w+=|url\(|@import/);
  });
  it('says what is blocked, who decided unauthenticated, and what is left over', () => {
    const html = renderHtml(aReport(3));
    for (const text of [
      'Blocked (unreachable)',
      'everyone who may signal the workflow',
      'LEFT OVER',
    ])
      expect(html).toContain(text);
  });
  it('masks the values of differing rows unless asked not to', () => {
    expect(renderHtml(aReport(3))).not.toContain('a secret');
    expect(renderHtml(buildReport(aSource(3), { version: '1', showValues: true }))).toContain(
      'a secret',
    );
  });
  it('of a thousand windows stays under a megabyte', () =>
    expect(renderHtml(aReport(1000)).length).toBeLessThan(1_000_000));
});
