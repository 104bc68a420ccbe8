// Doing something with a tap: busy while it lasts, and always one clear word about how it ended.

import { reactive } from 'vue'
import { Refused } from './phone'
import { say, t } from '../../face/words'
import type { Sentence } from './worker/protocol'

/** What the last tap came to. */
export const told = reactive({ text: '', kind: 'saved' as 'saved' | 'refused', busy: 0, count: 0 })

let fading: ReturnType<typeof setTimeout> | undefined

export function tell(text: string, kind: 'saved' | 'refused'): void {
  told.text = text
  told.kind = kind
  told.count += 1
  clearTimeout(fading)
  fading = setTimeout(() => (told.text = ''), kind === 'saved' ? 3_000 : 12_000)
}

/** Runs what a tap means; "saved" is said only after it ended well. */
export async function act(task: () => Promise<unknown>, well: string | null = 'face.saved_here'): Promise<boolean> {
  told.busy += 1
  try {
    await task()
    if (well) tell(t(well), 'saved')
    return true
  } catch (error) {
    tell(error instanceof Refused ? words(error.sentences) : `${t('face.broken')} ${String(error)}`, 'refused')
    return false
  } finally {
    told.busy -= 1
  }
}

export function words(sentences: Sentence[]): string {
  return sentences.map(say).join('\n')
}
