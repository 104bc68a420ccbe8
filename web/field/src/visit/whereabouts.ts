// Where the phone is, when it can say so quickly; indoors it often cannot, and that is an honest answer.

/** The arrival waits for a position so long and no longer. */
const PATIENCE_MS = 3_000

export interface Fix {
  place: { latitude: number; longitude: number }
  accuracy_m: number
  age_ms: number
}

export function whereabouts(): Promise<Fix | null> {
  return new Promise((resolve) => {
    const give = setTimeout(() => resolve(null), PATIENCE_MS + 500)
    const done = (fix: Fix | null) => {
      clearTimeout(give)
      resolve(fix)
    }
    if (!navigator.geolocation) return done(null)
    navigator.geolocation.getCurrentPosition(
      ({ coords, timestamp }) =>
        done({
          place: { latitude: coords.latitude, longitude: coords.longitude },
          accuracy_m: coords.accuracy,
          age_ms: Math.max(0, Math.round(Date.now() - timestamp)),
        }),
      () => done(null),
      { enableHighAccuracy: true, timeout: PATIENCE_MS, maximumAge: 30_000 },
    )
  })
}
