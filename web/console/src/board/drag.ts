// Dragging a job with pointer or finger: what it would do is said before it is dropped.

import { reactive } from 'vue'
import type { Job, Outlook } from '../kinds'
import { tried } from '../parts/toast'
import { carryOut, isBad, outlook, outlookWords } from './moves'

const BEGINS_PX = 6
const ASK_AFTER_MS = 90

/** The drag that goes on. */
export const drag = reactive({
  job: null as Job | null,
  x: 0,
  y: 0,
  /** The row under the pointer: a technician, `''` for what is not given out, or none. */
  over: null as string | null,
  words: '',
  bad: false,
})

let from = { x: 0, y: 0 }
let held: { job: Job; pxPerMs: number; replan: (job: Job, ms: number) => void } | null = null
let asking: ReturnType<typeof setTimeout> | undefined

/** A pointer went down on a job. `replan` is called when it is dropped elsewhere in time, in its own row. */
export function hold(event: PointerEvent, job: Job, pxPerMs: number, replan: (job: Job, ms: number) => void): void {
  if (event.button !== 0) return
  from = { x: event.clientX, y: event.clientY }
  held = { job, pxPerMs, replan }
  addEventListener('pointermove', move)
  addEventListener('pointerup', drop)
  addEventListener('pointercancel', letGo)
  addEventListener('keydown', escape)
}

function move(event: PointerEvent): void {
  if (!held) return
  if (!drag.job && Math.hypot(event.clientX - from.x, event.clientY - from.y) < BEGINS_PX) return
  drag.job = held.job
  drag.x = event.clientX
  drag.y = event.clientY
  const row = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>('[data-drop]')
  const over = row?.dataset['drop'] ?? null
  if (over === drag.over) return
  drag.over = over
  drag.words = ''
  drag.bad = false
  clearTimeout(asking)
  if (over !== null && over !== (held.job.technician ?? '')) asking = setTimeout(() => void ask(over), ASK_AFTER_MS)
}

async function ask(over: string): Promise<void> {
  const job = drag.job
  if (!job) return
  const wanted = { technician: over || null }
  const seen: Outlook | null = await outlook(job, wanted).catch(() => null)
  if (drag.job !== job || drag.over !== over || !seen) return
  drag.words = outlookWords(job, seen, wanted)
  drag.bad = isBad(seen)
}

function drop(event: PointerEvent): void {
  const [job, over, mine] = [drag.job, drag.over, held]
  const shifted = mine ? (event.clientX - from.x) / mine.pxPerMs : 0
  letGo()
  if (!job || !mine || over === null) return
  swallowClick()
  if (over !== (job.technician ?? '')) void tried(() => carryOut(job, { technician: over || null }))
  else if (job.window && Math.abs(shifted) >= 15 * 60_000) mine.replan(job, shifted)
}

/** The click that follows a drop is none. */
function swallowClick(): void {
  const swallow = (event: Event) => event.stopPropagation()
  addEventListener('click', swallow, { capture: true, once: true })
  setTimeout(() => removeEventListener('click', swallow, { capture: true }), 0)
}

function letGo(): void {
  held = null
  clearTimeout(asking)
  Object.assign(drag, { job: null, over: null, words: '', bad: false })
  removeEventListener('pointermove', move)
  removeEventListener('pointerup', drop)
  removeEventListener('pointercancel', letGo)
  removeEventListener('keydown', escape)
}

function escape(event: KeyboardEvent): void {
  if (event.key === 'Escape') letGo()
}
