// Phones, the worst first: never heard is not silent, and silent is not fine.

import { computed } from 'vue'
import type { Device, Job } from '../kinds'
import { devices, jobs, now } from '../live'
import { SILENT_MS, isAtWork, isOpen } from '../standing'

export const STATES = ['never', 'silent', 'holding', 'quiet', 'fine'] as const
export const SIGNS = ['∅', '?', '▲', '◌', '●']

const openJobs = computed(() => [...jobs.value.values()].filter((job) => job.technician !== null && isOpen(job)))
const atWork = computed(() => new Set(openJobs.value.filter(isAtWork).map((job) => job.technician)))
const openBy = computed(() => {
  const by = new Map<string | null, Job[]>()
  for (const job of openJobs.value) by.set(job.technician, [...(by.get(job.technician) ?? []), job])
  return by
})

function rank(device: Device): number {
  if (device.heard_at === null) return 0
  const age = now.value - device.heard_at
  if (age >= SILENT_MS && atWork.value.has(device.user)) return 1
  if (device.pending > 0) return 2
  return age >= SILENT_MS ? 3 : 4
}

/** Each phone that is not shut out, with the open jobs of its technician. */
export const lines = computed(() =>
  devices.value
    .filter((device) => device.revoked_at === null)
    .map((device) => ({ device, rank: rank(device), open: openBy.value.get(device.user) ?? [] }))
    .sort((a, b) => a.rank - b.rank || (a.device.heard_at ?? 0) - (b.device.heard_at ?? 0)),
)

/** Phones of which nobody can know how it stands: at work and silent, or never heard. */
export const unheard = computed(() => lines.value.filter((it) => it.rank <= 1).length)
