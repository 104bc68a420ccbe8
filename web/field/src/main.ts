import { createApp } from 'vue'
import App from './App.vue'
import { applyLook } from '../../face/look'
import { start, watch } from './phone'
import { keepShell } from './shell'
import { entitle } from '../../face/words'
import './style.css'

applyLook()
entitle('face.app')
// The worker loads while the first screen is made.
void start().then(watch)
createApp(App).mount('#app')
// After the first paint: keeping a copy of the app must not compete with opening it.
addEventListener('load', () => setTimeout(keepShell, 1_000))
