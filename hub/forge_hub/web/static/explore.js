// Draws the graph around a point. A press on a node goes on from there. The table below lists the same links.
'use strict';

(async () => {
  const place = document.getElementById('graph');
  const answer = await fetch(place.dataset.source, { headers: { Accept: 'application/json' } });
  if (!answer.ok) return;
  const { nodes, edges } = await answer.json();
  place.hidden = false;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const font = getComputedStyle(document.body).fontFamily;
  const SHAPES = { Persona: 'ellipse', Session: 'hexagon', Utterance: 'round-rectangle', FormResponse: 'rectangle', PatternSummary: 'barrel' };
  const COLOURS = {
    Persona: '--ink', Session: '--muted', Utterance: '--accent', FormResponse: '--muted', PatternSummary: '--muted',
    Distortion: '--high', Strategy: '--good', Emotion: '--normal', Sentiment: '--normal', Note: '--critical',
  };

  const narrow = place.clientWidth < 700;

  // The table below has every name in full.
  const shortened = (name) => (narrow && name.length > 26 ? `${name.slice(0, 25).trimEnd()}…` : name);

  const look = () => [
    {
      selector: 'node',
      style: {
        label: (node) => shortened(node.data('label')), 'font-family': font, 'font-size': narrow ? 23 : 18, color: colour('--ink'),
        'text-wrap': 'wrap', 'text-max-width': narrow ? 190 : 230, 'text-valign': 'bottom', 'text-margin-y': 6,
        shape: (node) => SHAPES[node.data('kind')] || 'diamond', width: 28, height: 28,
        'background-color': (node) => colour(COLOURS[node.data('kind')] || '--line-strong'),
        'border-width': 2, 'border-color': colour('--surface'),
        'text-background-color': colour('--surface'), 'text-background-opacity': 0.85, 'text-background-padding': 2,
      },
    },
    { selector: 'node[?focus]', style: { 'text-max-width': narrow ? 210 : 320, width: 46, height: 46, 'border-color': colour('--focus'), 'border-width': 4, 'font-weight': 700 } },
    {
      selector: 'edge',
      style: {
        width: 2, 'line-color': colour('--line-strong'), 'target-arrow-color': colour('--line-strong'),
        'target-arrow-shape': 'triangle', 'curve-style': 'bezier',
        'line-style': (edge) => (edge.data('state') === 'hypothesis' ? 'dashed' : 'solid'),
      },
    },
    { selector: 'edge[state = "approved"]', style: { width: 4, 'line-color': colour('--good'), 'target-arrow-color': colour('--good') } },
    {
      selector: edges.length <= 12 && !narrow ? 'edge' : 'edge.near',
      style: {
        label: 'data(label)', 'font-family': font, 'font-size': 16, color: colour('--muted'),
        'text-background-color': colour('--surface'), 'text-background-opacity': 1, 'text-background-padding': 2,
      },
    },
  ];
  const focus = nodes.find((node) => node.focus);
  // Rings around the point it was opened at: kinds stand together, and the same graph is always drawn alike.
  const rest = nodes.filter((node) => !node.focus).sort((a, b) => (a.kind + a.label).localeCompare(b.kind + b.label));
  const places = new Map(focus ? [[focus.id, { x: 0, y: 0 }]] : []);
  const wide = narrow ? 0.8 : 1.7;
  let [ring, begun] = [0, 0];
  rest.forEach((node, index) => {
    const room = (narrow ? 6 : 9) + ring * 6;
    if (index - begun >= room) [ring, begun] = [ring + 1, index];
    const among = Math.min((narrow ? 6 : 9) + ring * 6, rest.length - begun);
    const angle = (2 * Math.PI * (index - begun + (ring % 2) / 2)) / among - Math.PI / 2;
    const reach = (rest.length > 9 && !narrow ? 170 : 220) + ring * 140;
    places.set(node.id, { x: reach * wide * Math.cos(angle), y: reach * Math.sin(angle) });
  });
  const graph = cytoscape({
    container: place,
    elements: [...nodes.map((data) => ({ data })), ...edges.map((data) => ({ data }))],
    style: look(),
    layout: { name: 'preset', positions: (node) => places.get(node.id()), padding: 50 },
    userZoomingEnabled: false,
  });
  graph.on('tap', 'node', (event) => { location.assign(place.dataset.explore + encodeURIComponent(event.target.id())); });
  graph.on('mouseover', 'node', (event) => event.target.connectedEdges().addClass('near'));
  graph.on('mouseout', 'node', (event) => event.target.connectedEdges().removeClass('near'));
  // Where all of it would be too small to read, the point that it was opened at and its neighbours fill the drawing.
  const READABLE = 0.66;
  function fit() {
    graph.fit(undefined, 50);
    if (!focus || graph.zoom() >= READABLE) return;
    graph.zoom(READABLE);
    graph.center(graph.getElementById(focus.id));
  }
  const tools = document.getElementById('graph-tools');
  tools.hidden = false;
  tools.addEventListener('click', (event) => {
    const by = Number(event.target.dataset.zoom);
    if (Number.isNaN(by)) return;
    if (by === 0) graph.fit(undefined, 50);
    else graph.zoom({ level: graph.zoom() * by, renderedPosition: { x: place.clientWidth / 2, y: place.clientHeight / 2 } });
  });
  dark.addEventListener('change', () => graph.style(look()));
  new ResizeObserver(() => { graph.resize(); fit(); }).observe(place);
})();
