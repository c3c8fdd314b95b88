// Draws the circumplex: one point per utterance, valence to the right, arousal upwards. The table below says the same.
'use strict';

(async () => {
  const place = document.getElementById('circumplex');
  const answer = await fetch(place.dataset.source, { headers: { Accept: 'application/json' } });
  if (!answer.ok) return;
  const { points } = await answer.json();
  place.hidden = false;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const still = matchMedia('(prefers-reduced-motion: reduce)');
  const chart = echarts.init(place);

  function draw() {
    const axis = (name) => ({
      type: 'value', min: -1, max: 1, interval: 0.5, name, nameLocation: 'middle', nameGap: 34,
      nameTextStyle: { color: colour('--ink'), fontSize: 18 },
      axisLabel: { color: colour('--muted'), fontSize: 16 },
      axisLine: { onZero: true, lineStyle: { color: colour('--line-strong'), width: 2 } },
      splitLine: { lineStyle: { color: colour('--line') } },
    });
    chart.setOption({
      animation: !still.matches,
      aria: { enabled: false },
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 64, right: 28, top: 40, bottom: 64 },
      xAxis: axis('unpleasant  ←  valence  →  pleasant'),
      yAxis: { ...axis('calm  ←  arousal  →  stirred'), nameGap: 48 },
      // The canvas draws the tooltip: one made of HTML would need inline styles.
      tooltip: {
        renderMode: 'richText', backgroundColor: colour('--surface'), borderColor: colour('--line-strong'),
        textStyle: { color: colour('--ink'), fontSize: 17, width: 320, overflow: 'break' },
        formatter: ({ data }) => `${data.number}. ${data.text}`,
      },
      series: [{
        type: 'scatter', symbolSize: 22,
        itemStyle: { color: colour('--accent'), borderColor: colour('--surface'), borderWidth: 2 },
        label: { show: true, position: 'right', distance: 6, color: colour('--ink'), fontSize: 16, formatter: ({ data }) => String(data.number) },
        data: points.map((point) => ({ ...point, value: [point.valence, point.arousal] })),
      }],
    });
  }

  draw();
  dark.addEventListener('change', draw);
  new ResizeObserver(() => chart.resize()).observe(place);
})();
