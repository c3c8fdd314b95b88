// Draws the circumplex: utterances as dots, sessions as numbered means with the ellipse of their intervals, in their
// order. Whatever is pressed opens what was said. The tables of the page say the same.
'use strict';

(async () => {
  const place = document.getElementById('circumplex');
  if (!place) return;
  const answer = await fetch(place.dataset.source, { headers: { Accept: 'application/json' } });
  if (!answer.ok) return;
  const { points, sessions } = await answer.json();
  place.hidden = false;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const still = matchMedia('(prefers-reduced-motion: reduce)');
  const narrow = matchMedia('(max-width: 46rem)');
  const chart = echarts.init(place);
  const EDGES = 40;

  // The half axes differ, as an interval need not be as wide above its mean as below it.
  function ellipse({ valence, arousal }) {
    return Array.from({ length: EDGES + 1 }, (_, step) => {
      const angle = (2 * Math.PI * step) / EDGES;
      const [x, y] = [Math.cos(angle), Math.sin(angle)];
      return [
        valence[0] + x * (x > 0 ? valence[2] - valence[0] : valence[0] - valence[1]),
        arousal[0] + y * (y > 0 ? arousal[2] - arousal[0] : arousal[0] - arousal[1]),
      ];
    });
  }

  // A number is drawn where no newer one stands: two on top of each other can be read by nobody. The axes take 92 by 82.
  function withRoom(shown) {
    const taken = [];
    for (const each of [...shown].reverse()) {
      const [x, y] = [(each.valence[0] * (place.clientWidth - 92)) / 2, (each.arousal[0] * (place.clientHeight - 82)) / 2];
      if (taken.every((other) => Math.hypot(other.x - x, other.y - y) > 26)) taken.push({ x, y, number: each.number });
    }
    return new Set(taken.map((each) => each.number));
  }

  function draw() {
    const axis = (name) => ({
      type: 'value', min: -1, max: 1, interval: 0.5, name, nameLocation: 'middle', nameGap: 34,
      nameTextStyle: { color: colour('--ink'), fontSize: 18 },
      axisLabel: { color: colour('--muted'), fontSize: 16 },
      axisLine: { onZero: true, lineStyle: { color: colour('--line-strong'), width: 2 } },
      splitLine: { lineStyle: { color: colour('--line') } },
    });
    const corner = (text, x, y) => ({
      type: 'text', silent: true, [x]: narrow.matches ? 76 : 92, [y]: y === 'top' ? 26 : 84,
      style: { text, fill: colour('--muted'), font: `16px ${getComputedStyle(document.body).fontFamily}` },
    });
    const shown = sessions.filter((each) => !each.few);
    const numbered = withRoom(shown);
    const newest = sessions.length ? sessions[sessions.length - 1].number : 0;
    chart.setOption({
      animation: !still.matches,
      aria: { enabled: false },
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 68, right: 24, top: 18, bottom: 64 },
      graphic: [
        corner(narrow.matches ? 'tense' : 'tense, angry, afraid', 'left', 'top'), corner(narrow.matches ? 'glad' : 'glad, stirred', 'right', 'top'),
        corner(narrow.matches ? 'sad' : 'sad, weary', 'left', 'bottom'), corner(narrow.matches ? 'calm' : 'calm, content', 'right', 'bottom'),
      ],
      xAxis: axis(narrow.matches ? 'valence: pleasant →' : 'unpleasant  ←  valence  →  pleasant'),
      yAxis: { ...axis(narrow.matches ? 'arousal →' : 'calm  ←  arousal  →  stirred'), nameGap: 46 },
      // The canvas draws the tooltip: one made of HTML would need inline styles.
      tooltip: {
        renderMode: 'richText', confine: true, backgroundColor: colour('--surface'), borderColor: colour('--line-strong'),
        textStyle: { color: colour('--ink'), fontSize: 17, width: 320, overflow: 'break' },
        formatter: ({ data }) => data.words,
      },
      series: [
        {
          type: 'scatter', symbolSize: 11, z: 2,
          itemStyle: { color: colour('--normal') },
          emphasis: { scale: 1.8 },
          data: points.map((point) => ({
            value: [point.valence, point.arousal], words: `${point.at.slice(0, 10)}: ${point.text}`,
            href: `${place.dataset.person}/utterances/${point.id}`, itemStyle: { opacity: 0.15 + 0.6 * point.confidence },
          })),
        },
        ...shown.map((each) => ({
          type: 'line', silent: true, symbol: 'none', z: 3, data: ellipse(each), tooltip: { show: false },
          lineStyle: { color: colour('--accent'), width: 1.5, opacity: 0.55 },
        })),
        {
          type: 'line', z: 4, symbol: 'circle', symbolSize: 30, showAllSymbol: true,
          lineStyle: { color: colour('--accent'), width: 2, type: 'dashed', opacity: 0.7 },
          label: { show: true, position: 'inside', fontSize: 16, fontWeight: 700, formatter: ({ data }) => String(data.number) },
          data: shown.map((each) => ({
            value: [each.valence[0], each.arousal[0]], number: each.number,
            words: `Session ${each.number}, ${each.at.slice(0, 10)}: mean of ${each.n} utterances`,
            href: `${place.dataset.person}/sessions/${each.session}`,
            symbolSize: numbered.has(each.number) ? 30 : 14,
            itemStyle: { color: each.number === newest ? colour('--accent') : colour('--surface'), borderColor: colour('--accent'), borderWidth: 2 },
            label: { show: numbered.has(each.number), color: each.number === newest ? colour('--on-accent') : colour('--ink') },
          })),
        },
      ],
    });
  }

  draw();
  chart.on('click', ({ data }) => { if (data && data.href) location.assign(data.href); });
  dark.addEventListener('change', draw);
  new ResizeObserver(() => { chart.resize(); draw(); }).observe(place);
})();
