// What the desk is reminded of, kept beside every screen; who sees to it takes it off everybody's list.

import { computed, shallowRef } from 'vue'
import { get, post, send } from '../api'
import { now, onNews } from '../live'

export interface DutyWords { id: string; zh: string; en: string }

export interface Reminder {
  id: string
  about: string
  job: string | null
  kind: string | null
  case: string | null
  case_number: number | null
  household: string | null
  address: string | null
  device: string | null
  device_name: string | null
  person: string | null
  outage: string | null
  outage_area: string | null
  duty: DutyWords | null
  due_at: number
  until: number
  snoozed_until: number | null
}

export interface Duty {
  day: string
  duty: DutyWords
  from: number
  until: number
  state: 'coming' | 'open' | 'done' | 'late' | 'missed'
  done_by_name: string | null
  done_at: number | null
  note: string
}

/** Null while nobody has heard. */
const all = shallowRef<Reminder[] | null>(null)
export const isHeard = computed(() => all.value !== null)
export const snoozeMinutes = shallowRef<number[]>([])
const isPutOff = (it: Reminder) => it.snoozed_until !== null && it.snoozed_until > now.value
const isOver = (it: Reminder) => it.until <= now.value

/** What somebody should see to now. */
export const open = computed(() => (all.value ?? []).filter((it) => !isPutOff(it) && !isOver(it)))
/** What comes again later. */
export const putOff = computed(() => (all.value ?? []).filter((it) => isPutOff(it) && !isOver(it)))

export async function look(): Promise<void> {
  const listed = await get<{ reminders: Reminder[]; snooze_minutes: number[] }>('/api/reminders').catch(() => null)
  if (!listed) return
  all.value = listed.reminders
  snoozeMinutes.value = listed.snooze_minutes
}

/** Keeps the list until the returned function is called. */
export function keepReminders(): () => void {
  void look()
  return onNews((what) => {
    if (what === 'reminder') void look()
  })
}

export async function snooze(id: string, minutes: number): Promise<void> {
  await post(`/api/reminders/${id}/snooze`, { minutes })
  await look()
}

export async function finish(id: string): Promise<void> {
  await post(`/api/reminders/${id}/done`, {})
  await look()
}

export async function duties(from: string, to: string): Promise<Duty[]> {
  return (await get<{ duties: Duty[] }>(`/api/duties?from=${from}&to=${to}`)).duties
}

export async function record(day: string, duty: string, note: string): Promise<void> {
  await send('PUT', `/api/duties/${day}/${encodeURIComponent(duty)}`, { note })
  await look()
}
