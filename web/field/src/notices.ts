// What the technician has to hear while the app is open: shown, heard and felt, kind by kind.

import { reactive } from 'vue'
import type { Notice } from './worker/protocol'

/** Whoever does not look at the screen is told that it was shown only when they do. */
type Shown = (id: string) => void

export const notices = reactive({
  /** The first of them is on the screen. */
  shown: [] as Notice[],
  /** The stream to the hall is open. */
  open: false,
})

const known = new Set<string>()
let waiting: Notice[] = []
let report: Shown = () => undefined

/** Pitches in hertz, one after the other; the more urgent the longer and higher. */
const SOUNDS: Record<string, number[]> = {
  leak_call: [880, 660, 880, 660, 880, 660],
  alarm: [880, 660, 880, 660, 880, 660],
  lead_changed: [784, 988, 784],
  cancelled: [523, 392],
}
const USUAL = [659, 880]
const NOTE_S = 0.16

const BUZZES: Record<string, number[]> = {
  leak_call: [400, 150, 400, 150, 400, 150, 400],
  alarm: [400, 150, 400, 150, 400, 150, 400],
  lead_changed: [300, 100, 300],
}

export function onShown(shown: Shown): void {
  report = shown
}

export function hear(notice: Notice): void {
  if (known.has(notice.id)) return
  known.add(notice.id)
  play(SOUNDS[notice.kind] ?? USUAL)
  navigator.vibrate?.(BUZZES[notice.kind] ?? [200])
  waiting.push(notice)
  show()
}

/** What the hall reminds of and a card of this phone shows: by the card's name, the notices that it stands for. */
const carded = new Map<string, string[]>()
const rung = new Set<string>()

/** Rings for a card, once, whoever found the reason first. */
export function ringFor(card: string): void {
  if (rung.has(card)) return
  rung.add(card)
  play(USUAL)
  navigator.vibrate?.([200])
}

/** A notice that a card says already: it has no banner of its own. */
export function leaveToCard(notice: Notice, card: string): void {
  known.add(notice.id)
  carded.set(card, [...(carded.get(card) ?? []), notice.id])
}

/** Somebody looked at a card, or had seen to it before: what it stands for was shown. */
export function cardSeen(card: string): void {
  for (const id of carded.get(card) ?? []) report(id)
  carded.delete(card)
}

export function dismiss(id: string): void {
  notices.shown = notices.shown.filter((it) => it.id !== id)
  reportFirst()
}

/** Takes away what asked for an answer that was given; somebody had it on the screen. */
export function answered(job: string): void {
  for (const it of notices.shown.filter((one) => one.job === job && one.kind === 'leak_call')) {
    report(it.id)
    dismiss(it.id)
  }
}

/** A hidden page shows nothing to anybody: it waits until somebody looks. */
function show(): void {
  if (document.hidden) return
  for (const notice of waiting) {
    // Newer news of the same job take the place of older; what is urgent goes before what is not.
    const others = notices.shown.filter((it) => !notice.job || it.job !== notice.job)
    const urgent = others.filter((it) => it.urgency === 'high')
    const before = notice.urgency === 'high' ? [] : urgent
    notices.shown = [...before, notice, ...others.filter((it) => !before.includes(it))]
  }
  waiting = []
  reportFirst()
}

/** Only what stands on the screen was shown. */
function reportFirst(): void {
  const first = notices.shown[0]
  if (first && !document.hidden) report(first.id)
}

document.addEventListener('visibilitychange', show)

let audio: AudioContext | null = null

/** Browsers play only after a first touch; before it the banner and the buzz have to do. */
addEventListener('pointerdown', () => {
  audio ??= typeof AudioContext === 'undefined' ? null : new AudioContext()
  void audio?.resume()
})

function play(pitches: number[]): void {
  if (!audio || audio.state !== 'running') return
  const context = audio
  for (const [at, pitch] of pitches.entries()) {
    const [tone, level] = [context.createOscillator(), context.createGain()]
    const begins = context.currentTime + at * NOTE_S
    tone.frequency.value = pitch
    level.gain.setValueAtTime(0.25, begins)
    level.gain.exponentialRampToValueAtTime(0.001, begins + NOTE_S)
    tone.connect(level).connect(context.destination)
    tone.start(begins)
    tone.stop(begins + NOTE_S)
  }
}
