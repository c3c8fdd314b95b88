// Sound patterns by priority, after IEC 60601-1-8:2006+A2:2020, clause 6.3.3.1, tables 3 and 4: a burst has ten pulses at
// high priority (3+2, a pause, 3+2), three at medium, two at low; pulses last 75-200 ms at high, 125-250 ms else; the
// fundamental lies within 150-1000 Hz, with at least four harmonics. The tones chosen within those bounds are ours.
'use strict';

const AlarmSound = (() => {
  const PATTERNS = {
    high: { pulse: 0.15, starts: [0, 0.25, 0.5, 0.9, 1.15, 1.9, 2.15, 2.4, 2.8, 3.05], tone: 660, every: 8 },
    medium: { pulse: 0.2, starts: [0, 0.4, 0.8], tone: 520, every: 15 },
    low: { pulse: 0.2, starts: [0, 0.4], tone: 390, every: 30 },
  };
  const HARMONICS = [1, 0.6, 0.4, 0.3, 0.2];
  let context = null;
  let bursts = 0;

  async function turnOn() {
    context ??= new AudioContext();
    await context.resume();
    return context.state === 'running';
  }

  function isOn() {
    return context !== null && context.state === 'running';
  }

  async function turnOff() {
    if (context) await context.suspend();
  }

  // Sounds one burst and returns how many pulses it has; 0 when the sound is off.
  function burst(priority) {
    if (!isOn()) return 0;
    const pattern = PATTERNS[priority] ?? PATTERNS.high;
    const begin = context.currentTime + 0.05;
    for (const start of pattern.starts) {
      const gain = context.createGain();
      gain.connect(context.destination);
      gain.gain.setValueAtTime(0, begin + start);
      gain.gain.linearRampToValueAtTime(0.25, begin + start + 0.02);
      gain.gain.setValueAtTime(0.25, begin + start + pattern.pulse - 0.03);
      gain.gain.linearRampToValueAtTime(0, begin + start + pattern.pulse);
      HARMONICS.forEach((strength, place) => {
        const oscillator = context.createOscillator();
        const share = context.createGain();
        oscillator.frequency.value = pattern.tone * (place + 1);
        share.gain.value = strength / 2.5;
        oscillator.connect(share).connect(gain);
        oscillator.start(begin + start);
        oscillator.stop(begin + start + pattern.pulse);
      });
    }
    bursts += 1;
    return pattern.starts.length;
  }

  return { turnOn, turnOff, isOn, burst, seconds: (priority) => (PATTERNS[priority] ?? PATTERNS.high).every, count: () => bursts };
})();
