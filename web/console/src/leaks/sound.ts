// The alarm's sound: made here, so that no file has to be there. Two tones in turn, until somebody takes the alarm on.

const EVERY_MS = 900

let context: AudioContext | null = null
let timer: ReturnType<typeof setInterval> | undefined
let high = false

/** Begins to sound; tells whether this browser lets a page sound that nobody has touched yet. */
export async function sound(): Promise<boolean> {
  context ??= new AudioContext()
  await Promise.race([context.resume().catch(() => undefined), new Promise((done) => setTimeout(done, 300))])
  timer ??= setInterval(beep, EVERY_MS)
  return context.state === 'running'
}

export function hush(): void {
  clearInterval(timer)
  timer = undefined
}

function beep(): void {
  if (context?.state !== 'running') return
  const [tone, volume] = [context.createOscillator(), context.createGain()]
  high = !high
  tone.type = 'square'
  tone.frequency.value = high ? 960 : 720
  volume.gain.value = 0.2
  tone.connect(volume).connect(context.destination)
  tone.start()
  tone.stop(context.currentTime + 0.6)
}
