// Runs in an isolated world of one frame, synchronously, so that no script of
// the page comes between. Writes the document as HTML in which everything that
// comes from elsewhere is a part: NUL, its index, NUL. NUL cannot occur in HTML.
// The files of this directory are one function, joined in the order that
// snapshot.go names.
(opts, ...objects) => {
	const closed = new Map(), frames = new Map(), parts = [], layers = [];
	for (let i = 0; i < opts.closed; i++) closed.set(objects[2 * i], objects[2 * i + 1]);
	objects.slice(2 * opts.closed).forEach((o, i) => { if (i < opts.layers) layers.push(o); else frames.set(o, i - opts.layers); });

	const words = s => new Set(s.split(' '));
	const part = p => '\0' + (parts.push(p) - 1) + '\0';
	const HTML = 'http://www.w3.org/1999/xhtml', SVG = 'http://www.w3.org/2000/svg', XLINK = 'http://www.w3.org/1999/xlink';
	const text = s => s.replace(/[&<>\u00a0\0\r]/g, c => ({'&': '&amp;', '<': '&lt;', '>': '&gt;', '\u00a0': '&nbsp;', '\0': '\ufffd', '\r': '&#13;'})[c]);
	const value = s => String(s).replace(/[&"<\u00a0\0\r]/g, c => ({'&': '&amp;', '"': '&quot;', '<': '&lt;', '\u00a0': '&nbsp;', '\0': '\ufffd', '\r': '&#13;'})[c]);
	const attribute = (n, v) => ' ' + n + '="' + v + '"';

	// A form answers to the names of its fields, and the document to those of
	// its images and forms, before their own properties: these cannot be taken
	// over by a field that is called "attributes".
	const own = (proto, name) => { const g = Object.getOwnPropertyDescriptor(proto, name).get; return o => g.call(o); };
	const attributesOf = own(Element.prototype, 'attributes'), namespaceOf = own(Element.prototype, 'namespaceURI'), nameOf = own(Element.prototype, 'localName');
	const shadowOf = own(Element.prototype, 'shadowRoot'), elementsOf = own(Element.prototype, 'children'), nodesOf = own(Node.prototype, 'childNodes'), typeOf = own(Node.prototype, 'nodeType'), baseOf = own(Node.prototype, 'baseURI');
	const firstOf = own(Node.prototype, 'firstChild'), parentOf = own(Node.prototype, 'parentNode'), topOf = own(Element.prototype, 'scrollTop'), leftOf = own(Element.prototype, 'scrollLeft'), contentOf = own(Node.prototype, 'textContent');
	const rootOf = own(Document.prototype, 'documentElement'), contentTypeOf = own(Document.prototype, 'contentType'), modeOf = own(Document.prototype, 'compatMode'), doctypeOf = own(Document.prototype, 'doctype'), fontsOf = own(Document.prototype, 'fonts');
	const bodyOf = own(Document.prototype, 'body'), titleOf = own(Document.prototype, 'title'), scrollerOf = own(Document.prototype, 'scrollingElement'), sheetsOf = own(Document.prototype, 'styleSheets'), adoptedBy = own(Document.prototype, 'adoptedStyleSheets');
	const all = (root, selector) => (root === document ? Document : DocumentFragment).prototype.querySelectorAll.call(root, selector);
	const valueOf = (el, name) => Element.prototype.getAttribute.call(el, name);
	const styleOf = own(HTMLElement.prototype, 'style'), paintOf = own(SVGElement.prototype, 'style');
	const rectOf = el => Element.prototype.getBoundingClientRect.call(el);
	const holds = (el, selector) => Element.prototype.querySelector.call(el, selector) !== null;

	const root = rootOf(document), quirks = modeOf(document) === 'BackCompat', base = baseOf(document);
	const absolute = u => { try { return new URL(u, base).href; } catch { return ''; } };
	const bare = u => u.split('#')[0];
	const here = bare(location.href);

	// Boxes are in pixels of the whole page: a frame is told where it lies.
	const box = el => {
		const r = rectOf(el);
		return [r.left + (opts.top ? scrollX : 0) + opts.x, r.top + (opts.top ? scrollY : 0) + opts.y, r.width, r.height];
	};
	const inner = el => { // the content box
		const c = getComputedStyle(el), n = p => parseFloat(c[p]) || 0, b = box(el);
		const l = n('borderLeftWidth') + n('paddingLeft'), t = n('borderTopWidth') + n('paddingTop');
		return [b[0] + l, b[1] + t, b[2] - l - n('borderRightWidth') - n('paddingRight'), b[3] - t - n('borderBottomWidth') - n('paddingBottom')];
	};
	const shown = el => { const r = rectOf(el); return r.width > 0 && r.height > 0; };
	const px = n => Math.round(n * 1000) / 1000 + 'px';

	const extra = new Map(); // element -> declarations that its state needs
	const marks = new Map(); // element -> names of states that selectors ask for
	const instead = new Map(); // element -> attributes that replace its own, by name
	const end = []; // elements for the end of the body
	const style = (el, css) => extra.set(el, (extra.get(el) || '') + css);
	const marked = new Set();
	const mark = (el, name) => { marked.add(name); marks.set(el, (marks.get(el) || []).concat(name)); };

	const DROP = words('nonce integrity crossorigin ping csp fetchpriority referrerpolicy autofocus autoplay http-equiv blocking attributionsrc shadowrootmode srcdoc sandbox allow manifest target download popovertarget commandfor command invoketarget');
	const NAME = /^[^\s"'<>\/=\0]+$/, RUNS = /^(javascript|vbscript):/i;

	// Selectors and attr() ask what was written, so what they ask for is kept
	// beside what is written now.
	const ASKED = words('href src srcset sizes action formaction data poster target loading sandbox allow autofocus autoplay controls loop preload value checked selected style download open on');
	const was = new Set(opts.asked);
	for (const el of all(document, 'style')) for (const m of contentOf(el).matchAll(/(?:\[|attr\()\s*([\w-]+)/g)) {
		const n = m[1].toLowerCase();
		if (ASKED.has(n)) was.add(n); else if (n.startsWith('on')) was.add('on');
	}

	// attributes gives an element's attributes but those in skip and those that
	// make something happen.
	const attributes = (el, skip) => {
		let out = '', css = null;
		const html = namespaceOf(el) === HTML, other = instead.get(el);
		const hidden = html && nameOf(el) === 'input' && (el.type === 'password' || el.type === 'hidden'); // never the secret
		for (const a of attributesOf(el)) {
			// The parser makes small letters of all, so no other is compared.
			const n = a.name.toLowerCase(), name = html ? n : a.name, v = a.value;
			if (was.size && !(hidden && n === 'value') && (was.has(n) || n.startsWith('on') && was.has('on')) && NAME.test(n)) out += attribute('data-candor-was-' + n, n.startsWith('on') ? '' : value(v));
			if (n === 'style') { if (a.name === n) css = v; continue; }
			if (n.startsWith('on') || DROP.has(n) || n.startsWith('data-candor-') || !NAME.test(n) || (skip && skip.includes(n)) || (other && (n in other || name in other))) continue;
			if (n === 'background' && html && v) { out += attribute(n, part({k: 'res', url: absolute(v)})) + original(n, absolute(v)); continue; }
			if (/^[\0-\x20]*[jv]/i.test(v) && RUNS.test(v.replace(/[\0-\x20]/g, ''))) { out += attribute('data-candor-' + n.replace(':', '-'), value(v)); continue; }
			const paint = !html && /url\(|\\/i.test(v);
			out += attribute(name, paint ? part({k: 'css', text: v, base, esc: 'attr'}) : value(v));
		}
		const more = extra.get(el);
		if (css && refused(el)) { // by the page's own policy
			out += original('style', css);
			css = null;
		}
		if (css !== null || more) {
			let v = css || '';
			if (more) v += (v && !/;\s*$/.test(v) ? ';' : '') + more;
			out += attribute('style', /url\(|image-set\(|[\0\\]/i.test(v) ? styleParts(v) : value(v));
		}
		if (other) for (const n in other) out += attribute(n, value(other[n]));
		const m = marks.get(el);
		return m ? out + attribute('data-candor-mark', value(m.join(' '))) : out;
	};
	const refused = el => { try { return (el instanceof SVGElement ? paintOf : styleOf)(el).length === 0; } catch { return false; } };
	// A style may already hold parts (crops): only what lies between is CSS.
	const styleParts = v => v.split(/(\0\d+\0)/).map(p => p.startsWith('\0') ? p : part({k: 'css', text: p, base, esc: 'attr'})).join('');
	const original = (name, v) => v ? attribute('data-candor-' + name, value(v)) : '';
