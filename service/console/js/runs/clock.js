// The time, for what ticks. It runs only while somebody looks.
import { signal } from "@preact/signals";

let timer;

/** Milliseconds since the epoch, renewed each second. */
export const now = signal(Date.now(), {
  watched() {
    now.value = Date.now();
    timer = setInterval(() => {
      now.value = Date.now();
    }, 1000);
  },
  unwatched() {
    clearInterval(timer);
  },
});
