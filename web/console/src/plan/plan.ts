// The plan that is proposed: asked for, looked at, and carried out only by whoever agrees to it.

import { computed, reactive, watchEffect } from 'vue'
import { t } from '../../../face/words'
import { Problem, send } from '../api'
import { besides, stack } from '../board/day'
import { edit, lostWords } from '../board/moves'
import type { Job } from '../kinds'
import { jobs, technicians } from '../live'
import { tell } from '../parts/toast'
import type { Proposal, Proposed } from './kinds'

export const plan = reactive({
  isOpen: false,
  mayMove: false,
  /** Since when the server thinks, or zero. */
  asking: 0,
  proposal: null as Proposal | null,
  problem: '',
  /** Jobs that somebody left out of it. */
  left: new Set<string>(),
  /** How many of how many are written. */
  written: 0,
  writing: 0,
  /** What somebody else was faster with. */
  lost: [] as { job: string; words: string }[],
})

let asked = 0

/** Asks for a plan of a day; nothing is changed by it. */
export async function ask(day: string): Promise<void> {
  const mine = ++asked
  Object.assign(plan, { isOpen: true, asking: Date.now(), proposal: null, problem: '', left: new Set(), lost: [] })
  try {
    const proposal = await send<Proposal>('POST', '/api/board/proposals', { day, may_move: plan.mayMove })
    if (mine === asked) plan.proposal = proposal
  } catch (error) {
    if (mine === asked) plan.problem = error instanceof Problem ? error.words : String(error)
  }
  if (mine === asked) plan.asking = 0
}

export function close(): void {
  asked += 1
  Object.assign(plan, { isOpen: false, asking: 0, proposal: null, lost: [] })
}

export function leaveOut(job: string, isOut: boolean): void {
  if (isOut) plan.left.add(job)
  else plan.left.delete(job)
}

/** Whether somebody changed the job since the server looked at it. */
export function isChanged(it: Proposed): boolean {
  return (jobs.value.get(it.job)?.position ?? 0) > it.position
}

/** What would be carried out. */
export const wanted = computed(() => (plan.proposal?.assigned ?? []).filter((it) => !plan.left.has(it.job) && !isChanged(it)))

/** The proposal by technician, in the order of the board. */
export const groups = computed(() => {
  const byTechnician = new Map<string, Proposed[]>()
  for (const it of plan.proposal?.assigned ?? []) byTechnician.set(it.technician, [...(byTechnician.get(it.technician) ?? []), it])
  return technicians.value.flatMap(({ id, name }) => (byTechnician.has(id) ? [{ id, name, lines: byTechnician.get(id) ?? [] }] : []))
})

/** A bar that is none yet. */
export interface Shade {
  it: Proposed
  job: Job
  start: number
  end: number
  lane: number
}

/** What is proposed, as the rows of the board show it. */
export const shades = computed(() => {
  const rows = new Map<string, { shades: Shade[]; lanes: number }>()
  for (const { id } of groups.value) {
    const mine = wanted.value.filter((it) => it.technician === id)
    const found = mine.flatMap((it) => {
      const job = jobs.value.get(it.job)
      return job ? [{ it, job, start: it.reached_at, end: it.left_at, lane: 0 }] : []
    })
    if (found.length) rows.set(id, { lanes: stack(found), shades: found })
  }
  return rows
})

watchEffect(() => (besides.value = [...shades.value.values()].flatMap((row) => row.shades)))

/** Carries out what is ticked, job by job; what somebody else changed meanwhile stays as they left it. */
export async function apply(): Promise<void> {
  const done: { job: Job; position: number; technician: string; before: string | null }[] = []
  const todo = wanted.value
  Object.assign(plan, { writing: todo.length, written: 0, lost: [] })
  try {
    for (const it of todo) {
      const job = jobs.value.get(it.job)
      if (!job) continue
      const seen = { ...job, technician: it.from, position: it.position }
      try {
        const position = await edit(seen, seen, { technician: it.technician })
        done.push({ job, position, technician: it.technician, before: it.from })
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        plan.lost.push({ job: it.job, words: error.kind === 'stale' ? lostWords(job, error) : error.words })
        // Without a hall the rest would fail in the same way.
        if (error.status === 0) break
      }
      plan.written += 1
    }
  } finally {
    plan.writing = 0
  }
  plan.proposal = null
  if (plan.lost.length === 0) plan.isOpen = false
  const bad = plan.lost.length > 0
  const text = t(bad ? 'plan.applied_lost' : 'plan.applied', { count: done.length, lost: plan.lost.length })
  const undo = async () => {
    let back = 0
    for (const { job, position, technician, before } of done.reverse()) {
      const now = { ...job, technician, position }
      const undone = await edit(now, now, { technician: before }).catch(() => null)
      back += undone === null ? 0 : 1
    }
    tell({ text: t('plan.undone', { count: back, of: done.length }), bad: back < done.length })
  }
  tell({ text, bad, ...(done.length ? { undo } : {}) })
}
