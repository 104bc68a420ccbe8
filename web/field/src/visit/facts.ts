// The facts of the visit under way, as screens show them.

import type { Fact, JobPage } from '../kinds'

export type Entry = [id: string, fact: Fact]

/** Every fact of the visit under way, oldest first. */
export function visitFacts(page: JobPage): Entry[] {
  const visit = page.steps.visit ? page.job.visits[page.steps.visit] : undefined
  return Object.entries(visit?.facts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Every fact of this technician's visits of the job, newest first. */
export function ownFacts(page: JobPage): Entry[] {
  const own = Object.values(page.job.visits).filter((visit) => visit.technician === page.me)
  return own.flatMap((visit) => Object.entries(visit.facts)).sort(([a], [b]) => (a < b ? 1 : -1))
}

/** Those that were not taken back. */
export function liveFacts(page: JobPage): Entry[] {
  const all = visitFacts(page)
  const withdrawn = new Set(all.filter(([, fact]) => fact.type === 'withdrawn').map(([, fact]) => fact['fact']))
  return all.filter(([id, fact]) => fact.type !== 'withdrawn' && !withdrawn.has(id))
}

export function liveOf(page: JobPage, type: string): Entry[] {
  return liveFacts(page).filter(([, fact]) => fact.type === type)
}
