// What was just done, or refused; with a way back where there is one.

import { shallowRef } from 'vue'
import { Problem } from '../api'

const SHOWN_MS = 12_000

export interface Told {
  text: string
  bad: boolean
  undo?: () => Promise<void>
}

export const told = shallowRef<Told | null>(null)
let timer: ReturnType<typeof setTimeout> | undefined

export function tell(what: Told): void {
  told.value = what
  clearTimeout(timer)
  timer = setTimeout(() => (told.value = null), SHOWN_MS)
}

/** Does something and tells what went wrong. */
export async function tried(task: () => Promise<void>): Promise<void> {
  try {
    await task()
  } catch (error) {
    tell({ text: error instanceof Problem ? error.words : String(error), bad: true })
  }
}
