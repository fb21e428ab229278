// Runs in an isolated world of one frame, synchronously, so that no script of
// the page comes between. Writes the document as HTML in which everything that
// comes from elsewhere is a part: NUL, its index, NUL. NUL cannot occur in HTML.
(opts, ...objects) => {
	const closed = new Map(), frames = new Map(), parts = [];
	for (let i = 0; i < opts.closed; i++) closed.set(objects[2 * i], objects[2 * i + 1]);
	objects.slice(2 * opts.closed).forEach((o, i) => frames.set(o, i));

	const part = p => '\0' + (parts.push(p) - 1) + '\0';
	const HTML = 'http://www.w3.org/1999/xhtml', SVG = 'http://www.w3.org/2000/svg', XLINK = 'http://www.w3.org/1999/xlink';
	const VOID = new Set('area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr'.split(' '));
	const RAW = new Set('style script xmp iframe noembed noframes plaintext'.split(' '));
	const text = s => s.replace(/[&<>\u00a0\0\r]/g, c => ({'&': '&amp;', '<': '&lt;', '>': '&gt;', '\u00a0': '&nbsp;', '\0': '\ufffd', '\r': '&#13;'})[c]);
	const value = s => String(s).replace(/[&"<\u00a0\0\r]/g, c => ({'&': '&amp;', '"': '&quot;', '<': '&lt;', '\u00a0': '&nbsp;', '\0': '\ufffd', '\r': '&#13;'})[c]);
	const attribute = (n, v) => ' ' + n + '="' + v + '"';
	const absolute = u => { try { return new URL(u, baseOf(document)).href; } catch { return ''; } };
	const bare = u => u.split('#')[0];
	const here = bare(location.href);

	// Boxes are in pixels of the whole page: a frame is told where it lies.
	const box = el => {
		const r = el.getBoundingClientRect();
		return [r.left + (opts.top ? scrollX : 0) + opts.x, r.top + (opts.top ? scrollY : 0) + opts.y, r.width, r.height];
	};
	const inner = el => { // the content box
		const c = getComputedStyle(el), n = p => parseFloat(c[p]) || 0, b = box(el);
		const l = n('borderLeftWidth') + n('paddingLeft'), t = n('borderTopWidth') + n('paddingTop');
		return [b[0] + l, b[1] + t, b[2] - l - n('borderRightWidth') - n('paddingRight'), b[3] - t - n('borderBottomWidth') - n('paddingBottom')];
	};
	const shown = el => { const r = el.getBoundingClientRect(); return r.width > 0 && r.height > 0; };
	const kebab = p => p.startsWith('--') ? p : p === 'cssFloat' ? 'float' : p === 'cssOffset' ? 'offset' : p.replace(/[A-Z]/g, c => '-' + c.toLowerCase()).replace(/^webkit-/, '-webkit-');

	const extra = new Map(); // element -> declarations that its state needs
	const marks = new Map(); // element -> names of states that selectors ask for
	const late = []; // rules and elements for the end
	const style = (el, css) => extra.set(el, (extra.get(el) || '') + css);
	const mark = (el, name) => marks.set(el, (marks.get(el) || []).concat(name));
	let animated = 0;

	const STATES = ['focus', 'focus-visible', 'focus-within', 'target', 'popover-open', 'modal', 'fullscreen', 'user-invalid', 'user-valid'];
	const prepare = root => {
		for (const s of STATES) try { for (const el of all(root, ':' + s)) mark(el, s); } catch {}
		for (const el of all(root, ':not(:defined)')) mark(el, 'undefined');
		for (const el of all(root, '*')) {
			if ((el.scrollTop || el.scrollLeft) && el !== document.scrollingElement && el !== document.documentElement && el !== document.body) scrolled(el);
		}
		let any = false;
		for (const a of animations(root)) {
			const e = a.effect, el = e && e.target;
			if (!el || !el.isConnected) continue;
			any = true;
			const c = getComputedStyle(el, e.pseudoElement || null), names = new Set();
			for (const k of e.getKeyframes()) for (const p of Object.keys(k)) if (!['offset', 'computedOffset', 'easing', 'composite'].includes(p)) names.add(kebab(p));
			let css = '';
			for (const p of names) { const v = c.getPropertyValue(p); if (v) css += p + ':' + v + '!important;'; }
			if (/(^|;)(transform|opacity|filter|translate|rotate|scale|perspective|clip-path):/.test(css)) css += 'will-change:' + [...names].join(',') + '!important;';
			if (e.pseudoElement) {
				const n = 'animated-' + ++animated;
				mark(el, n);
				late.push('[data-candor-mark~="' + n + '"]' + e.pseudoElement + '{' + css + '}');
			} else style(el, css);
		}
		return any;
	};

	// A box that is scrolled is brought there by snapping to one of its children:
	// the only way without a script.
	const scrolled = el => {
		const child = [...elementsOf(el)].find(c => { const d = getComputedStyle(c); return d.display !== 'none' && d.display !== 'contents' && d.position !== 'fixed' && d.position !== 'sticky'; });
		if (!child) return;
		const b = el.getBoundingClientRect(), c = child.getBoundingClientRect();
		const axis = el.scrollTop && el.scrollLeft ? 'both' : el.scrollTop ? 'y' : 'x';
		style(el, 'scroll-snap-type:' + axis + ' mandatory!important;scroll-padding:0!important;');
		style(child, 'scroll-snap-align:start!important;scroll-margin:' + (c.top - b.top - el.clientTop) + 'px 0 0 ' + (c.left - b.left - el.clientLeft) + 'px!important;');
	};

	const rulesOf = rules => [...rules].filter(r => !(r instanceof CSSImportRule)).map(r => r.cssText);
	// The source of a sheet, or its rules when scripts have changed them.
	const sheetText = (sheet, source, base) => {
		let live;
		try { live = rulesOf(sheet.cssRules); } catch { return source; } // another origin's: what was received
		if (source !== undefined && source !== null) {
			try {
				const again = new CSSStyleSheet({baseURL: base});
				again.replaceSync(source);
				const parsed = rulesOf(again.cssRules);
				if (parsed.length === live.length && parsed.every((r, i) => r === live[i])) return source;
			} catch {}
		}
		return [...sheet.cssRules].map(r => r.cssText).join('\n');
	};
	const adopted = root => [...(root.adoptedStyleSheets || [])].filter(s => !s.disabled).map(s =>
		'<style data-candor-adopted' + (s.media.mediaText ? attribute('media', value(s.media.mediaText)) : '') + '>' +
		part({k: 'css', text: rulesOf(s.cssRules).join('\n'), base: baseOf(document), esc: 'style'}) + '</style>').join('');

	const DROP = new Set('nonce integrity crossorigin ping csp fetchpriority referrerpolicy autofocus autoplay http-equiv blocking attributionsrc shadowrootmode srcdoc sandbox allow manifest target download'.split(' '));
	const NAME = /^[^\s"'<>\/=\0]+$/;
	const LINK = /^(https?|mailto|tel|sms|ftp):/i;

	// A form answers to the names of its fields, and the document to those of
	// its images and forms, before their own properties: these cannot be taken
	// over by a field that is called "attributes".
	const own = (proto, name) => { const g = Object.getOwnPropertyDescriptor(proto, name).get; return o => g.call(o); };
	const attributesOf = own(Element.prototype, 'attributes'), namespaceOf = own(Element.prototype, 'namespaceURI'), nameOf = own(Element.prototype, 'localName');
	const shadowOf = own(Element.prototype, 'shadowRoot'), elementsOf = own(Element.prototype, 'children'), nodesOf = own(Node.prototype, 'childNodes'), typeOf = own(Node.prototype, 'nodeType'), baseOf = own(Node.prototype, 'baseURI');
	const rootOf = own(Document.prototype, 'documentElement'), contentTypeOf = own(Document.prototype, 'contentType'), modeOf = own(Document.prototype, 'compatMode'), doctypeOf = own(Document.prototype, 'doctype');
	const all = (root, selector) => (root === document ? Document : DocumentFragment).prototype.querySelectorAll.call(root, selector);
	const animations = root => (root === document ? Document : ShadowRoot).prototype.getAnimations.call(root);
	const valueOf = (el, name) => Element.prototype.getAttribute.call(el, name);

	// attributes gives an element's attributes but those in skip and those that
	// make something happen.
	const attributes = (el, skip) => {
		let out = '', css = valueOf(el, 'style');
		for (const a of attributesOf(el)) {
			const n = namespaceOf(el) === HTML ? a.name.toLowerCase() : a.name;
			if (n === 'style' || n.startsWith('on') || n.startsWith('data-candor-') || DROP.has(n) || !NAME.test(n) || (skip && skip.includes(n))) continue;
			if (n === 'background' && namespaceOf(el) === HTML && a.value) { out += attribute(n, part({k: 'res', url: absolute(a.value)})); continue; }
			if (/^\s*(javascript|vbscript):/i.test(a.value.replace(/[\0-\x20]/g, ''))) { out += attribute('data-candor-' + n.replace(':', '-'), value(a.value)); continue; }
			const paint = namespaceOf(el) === SVG && /url\(/i.test(a.value);
			out += attribute(n, paint ? part({k: 'css', text: a.value, base: baseOf(document), esc: 'attr', inline: true}) : value(a.value));
		}
		const more = extra.get(el);
		if (css !== null || more) {
			let v = css || '';
			if (more) v += (v && !/;\s*$/.test(v) ? ';' : '') + more;
			out += attribute('style', /url\(|image-set\(|\0/i.test(v) ? styleParts(v) : value(v));
		}
		if (marks.has(el)) out += attribute('data-candor-mark', value(marks.get(el).join(' ')));
		return out;
	};
	// A style may already hold parts (crops): only what lies between is CSS.
	const styleParts = v => v.split(/(\0\d+\0)/).map(p => p.startsWith('\0') ? p : part({k: 'css', text: p, base: baseOf(document), esc: 'attr', inline: true})).join('');
	const original = (name, v) => v ? attribute('data-candor-' + name, value(v)) : '';
	const px = n => Math.round(n * 1000) / 1000 + 'px';
	const sized = (el, r) => {
		const c = getComputedStyle(el);
		style(el, (c.display === 'inline' ? 'display:inline-block!important;' : '') + 'box-sizing:content-box!important;width:' + px(r[2]) + '!important;height:' + px(r[3]) + '!important;');
	};
	const painted = (el, src) => style(el, 'background-image:url(' + src + ')!important;background-size:100% 100%!important;background-origin:content-box!important;background-clip:content-box!important;background-repeat:no-repeat!important;background-position:0 0!important;');

	const image = el => {
		const skip = ['src', 'srcset', 'sizes', 'loading', 'decoding', 'usemap'], from = el.currentSrc || el.src;
		const pic = el.parentNode instanceof HTMLPictureElement ? el.parentNode : null;
		let dims = '';
		if (pic && from) {
			const s = [...pic.children].find(s => s instanceof HTMLSourceElement && (!s.media || matchMedia(s.media).matches) && s.srcset.split(/,\s+|\s+/).some(u => u && absolute(u) === from));
			if (s) for (const d of ['width', 'height']) if (s.hasAttribute(d)) { skip.push(d); dims += attribute(d, value(s.getAttribute(d))); }
		}
		const orig = original('src', el.getAttribute('src') && absolute(el.getAttribute('src'))) + original('srcset', el.getAttribute('srcset'));
		if (!from) return '<img' + attributes(el, skip) + orig + dims + '>';
		if (!el.complete) {
			sized(el, inner(el));
			return '<img' + attributes(el, skip) + orig + dims + attribute('src', "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='0' height='0'/%3E") + '>';
		}
		if (!el.naturalWidth && !/\.svg(\?|#|$)|^data:image\/svg/i.test(from)) return '<img' + attributes(el, skip) + orig + dims + attribute('src', 'data:image/png;base64,') + '>';
		return '<img' + attributes(el, skip) + orig + dims + part({k: 'img', url: from, w: el.naturalWidth, h: el.naturalHeight, box: inner(el)}) + '>';
	};

	const media = (el, tag) => {
		if (shown(el)) {
			const r = inner(el);
			sized(el, r);
			painted(el, part({k: 'crop', box: r}));
		} else style(el, 'display:none!important;');
		return '<' + tag + attributes(el, ['src', 'poster', 'controls', 'loop', 'preload']) + original('src', el.currentSrc) + '>' + children(el) + '</' + tag + '>';
	};

	const canvas = el => {
		if (shown(el)) {
			const r = inner(el);
			let src = '';
			try { if (el.width && el.height && el.getContext('2d')) src = el.toDataURL('image/png'); } catch {}
			sized(el, r);
			painted(el, src || part({k: 'crop', box: r}));
		}
		return '<canvas' + attributes(el) + '></canvas>';
	};

	const frame = el => {
		const r = inner(el), skip = ['src', 'loading', 'name', 'data', 'type'];
		const i = frames.has(el) ? frames.get(el) : -1;
		const orig = original('src', el.src || el.data);
		return '<iframe' + attributes(el, skip) + orig + part({k: 'frame', i, box: r}) + '></iframe>';
	};

	const plugin = (el, tag, name) => {
		if (frames.has(el) && tag === 'object') return frame(el);
		const url = el[name], fallback = tag === 'object' && [...el.children].some(shown);
		const skip = [name, 'type', 'classid', 'codebase', 'usemap'];
		let src = '';
		if (url && shown(el) && !fallback) {
			const r = inner(el);
			style(el, 'width:' + px(r[2]) + '!important;height:' + px(r[3]) + '!important;');
			src = attribute(name, part({k: 'picture', url, box: r}));
		}
		return '<' + tag + attributes(el, skip) + original('src', url) + src + '>' + (tag === 'embed' ? '' : children(el) + '</object>');
	};

	const field = el => {
		const type = el.type, skip = ['value', 'checked', 'src', 'formaction'];
		let out = '';
		if (type === 'checkbox' || type === 'radio') {
			if (el.hasAttribute('value')) out += attribute('value', value(el.getAttribute('value')));
			if (el.checked) out += attribute('checked', '');
			if (el.indeterminate && shown(el)) {
				const r = box(el), c = getComputedStyle(el);
				style(el, 'appearance:none!important;border:0!important;padding:0!important;box-sizing:border-box!important;width:' + px(r[2]) + '!important;height:' + px(r[3]) + '!important;margin:' + c.margin + '!important;');
				painted(el, part({k: 'crop', box: r}));
			}
		} else if (type === 'image') {
			if (el.src) out += original('src', el.src) + attribute('src', part({k: 'picture', url: el.src, box: inner(el)}));
		} else if (type === 'password') {
			if (el.value) out += attribute('value', '\u2022'.repeat(el.value.length)); // never the secret
		} else if (type !== 'file') {
			if (type !== 'hidden' && (el.value || el.hasAttribute('value'))) out += attribute('value', value(el.value));
		}
		return '<input' + attributes(el, skip) + out + '>';
	};

	// What lies in the top layer is put above everything where it was.
	const raised = el => {
		const c = getComputedStyle(el), r = el.getBoundingClientRect();
		if (!r.width && !r.height) return;
		style(el, 'display:' + c.display + '!important;position:fixed!important;inset:auto!important;left:' + px(r.left) + '!important;top:' + px(r.top) + '!important;width:' + c.width + '!important;height:' + c.height + '!important;margin:0!important;z-index:2147483647!important;');
		const b = getComputedStyle(el, '::backdrop');
		if (b.display !== 'none' && b.backgroundColor !== 'rgba(0, 0, 0, 0)') late.push({html: '<div style="position:fixed;inset:0;z-index:2147483646;pointer-events:none;background:' + value(b.backgroundColor) + '"></div>'});
	};

	let symbols = 0;
	const use = el => {
		const href = el.getAttribute('href') || el.getAttributeNS(XLINK, 'href') || '', url = absolute(href), skip = ['href', 'xlink:href'];
		let ref = href, defs = '';
		if (href && !href.startsWith('#')) {
			ref = '';
			const id = decodeURIComponent((url.split('#')[1] || ''));
			if (bare(url) === here) ref = '#' + id;
			else if (opts.sources[bare(url)] !== undefined) {
				try {
					const found = new DOMParser().parseFromString(opts.sources[bare(url)], 'image/svg+xml').getElementById(id);
					if (found) {
						ref = '#candor-symbol-' + ++symbols;
						found.id = ref.slice(1);
						defs = '<defs>' + node(found) + '</defs>';
					}
				} catch {}
			}
		}
		return defs + '<use' + attributes(el, skip) + original('href', url) + (ref ? attribute('href', value(ref)) : '') + '>' + children(el) + '</use>';
	};

	const link = el => {
		const rel = (el.rel || '').toLowerCase();
		if (!/\bstylesheet\b/.test(rel)) return '<link' + attributes(el, ['rel', 'href', 'imagesrcset', 'imagesizes', 'as', 'type']) + original('rel', el.rel) + original('href', el.href) + '>';
		const s = el.sheet, skip = ['rel', 'href', 'media', 'title', 'type', 'charset', 'disabled', 'as', 'onload'];
		let body = '';
		if (s) {
			const t = sheetText(s, opts.sources[bare(el.href)], el.href);
			body = part(t === undefined ? {k: 'css', url: el.href, base: el.href, esc: 'style'} : {k: 'css', text: t, base: el.href, esc: 'style'});
		}
		return '<style' + attributes(el, skip) + original('href', el.href) + mediaOf(s, el) + '>' + body + '</style>';
	};
	const mediaOf = (s, el) => {
		const m = !s ? '' : s.disabled ? 'not all' : s.media.mediaText || '';
		return m ? attribute('media', value(m)) : '';
	};
	const sheet = el => {
		const s = el.sheet, raw = el.textContent, svg = el.namespaceURI === SVG;
		if (!s) return '<style' + attributes(el, ['title', 'media']) + (el.media ? attribute('media', value(el.media)) : '') + '>' + part({k: 'css', text: raw, base: baseOf(document), esc: svg ? 'text' : 'style'}) + '</style>';
		return '<style' + attributes(el, ['title', 'media']) + mediaOf(s, el) + '>' + part({k: 'css', text: sheetText(s, raw, baseOf(document)), base: baseOf(document), esc: svg ? 'text' : 'style'}) + '</style>';
	};

	const shadow = el => {
		const root = shadowOf(el) || closed.get(el);
		if (!root) return '';
		const moving = prepare(root);
		return '<template shadowrootmode="' + root.mode + '">' + children(root) + adopted(root) +
			(moving ? '<style>*,::before,::after{animation:none!important;transition:none!important}</style>' : '') + '</template>';
	};

	const children = (parent, skip) => {
		let out = '', last = 0;
		for (const c of nodesOf(parent)) {
			if (skip && c === skip) continue;
			const type = typeOf(c);
			if (type === 3) {
				if (!c.data) continue;
				if (last === 3) out += '<!---->'; // else the parser would join the two
			}
			out += node(c);
			last = type;
		}
		return out;
	};

	const node = n => {
		switch (typeOf(n)) {
		case 3: return text(n.data);
		case 4: return text(n.data);
		case 8: return /^-?>|--|^\s*candor/.test(n.data) || n.data.includes('\0') || n.data.endsWith('-') ? '<!---->' : '<!--' + n.data + '-->';
		case 1: return element(n);
		}
		return '';
	};

	const element = el => {
		if (namespaceOf(el) !== HTML) return foreign(el);
		const tag = nameOf(el);
		if (!NAME.test(tag)) return children(el);
		if (marks.has(el) && marks.get(el).some(m => m === 'modal' || m === 'popover-open')) raised(el);
		switch (tag) {
		case 'script': return '<script type="text/plain"' + attributes(el, ['src', 'type', 'async', 'defer']) + original('src', el.src) + '></scr' + 'ipt>';
		case 'noscript': style(el, 'display:none!important;'); return '<noscript' + attributes(el) + '></noscript>';
		case 'template': return '<template' + attributes(el) + '></template>';
		case 'base': return '<base' + attributes(el, ['href']) + original('href', el.href) + '>';
		case 'meta': {
			const eq = el.httpEquiv;
			if (el.hasAttribute('charset') || eq) return '<meta' + attributes(el, ['charset', 'content', 'name']) + (eq ? original('http-equiv', eq) + original('content', el.content) : '') + '>';
			return '<meta' + attributes(el) + '>';
		}
		case 'link': return link(el);
		case 'style': return sheet(el);
		case 'img': return image(el);
		case 'source': case 'track': return '<' + tag + attributes(el, ['src', 'srcset', 'sizes', 'width', 'height']) + original('src', el.src) + original('srcset', el.srcset) + '>';
		case 'video': case 'audio': return media(el, tag);
		case 'canvas': return canvas(el);
		case 'iframe': case 'frame': return frame(el);
		case 'object': return plugin(el, tag, 'data');
		case 'embed': return plugin(el, tag, 'src');
		case 'input': return field(el);
		case 'textarea': return '<textarea' + attributes(el) + '>\n' + text(el.value) + '</textarea>';
		case 'option': return '<option' + attributes(el, ['selected']) + (el.selected ? attribute('selected', '') : '') + '>' + children(el) + '</option>';
		case 'form': return '<form' + attributes(el, ['action']) + original('action', valueOf(el, 'action') && absolute(valueOf(el, 'action'))) + '>' + shadow(el) + children(el) + '</form>';
		case 'button': return '<button' + attributes(el, ['formaction']) + '>' + shadow(el) + children(el) + '</button>';
		case 'a': case 'area': {
			const raw = el.getAttribute('href');
			let h = '';
			// What counts is the address the browser makes of it: blanks and line
			// ends inside "javascript:" are nothing to it.
			if (raw !== null && (raw.startsWith('#') || LINK.test(el.href))) {
				// A link to this very page stays one, for its colour is that of a place visited.
				const self = bare(el.href) === here;
				h = attribute('href', raw.startsWith('#') ? value(raw) : self && !el.hash ? '' : self ? value(el.hash) : value(el.href)) + original('href', el.href) + ' rel="noopener noreferrer nofollow"';
			} else if (raw !== null) h = attribute('href', '#') + original('href', raw.slice(0, 2000));
			return '<' + tag + attributes(el, ['href', 'rel']) + h + '>' + (tag === 'a' ? children(el) + '</a>' : '');
		}
		// The policy only counts as the first thing in the head, wherever scripts
		// have put the head, and if they have left one at all.
		case 'html': if (el === root) {
			const head = [...elementsOf(el)].find(c => nameOf(c) === 'head' && namespaceOf(c) === HTML);
			return '<html' + attributes(el) + '>' + (head ? element(head) : emptyHead()) + children(el, head) + '</html>';
		} break;
		case 'head': return '<head' + attributes(el) + '>' + part({k: 'head'}) + children(el) + part({k: 'styles'}) + '</head>';
		case 'body': return '<body' + attributes(el) + '>' + children(el) + part({k: 'end'}) + '</body>';
		}
		const open = '<' + tag + attributes(el) + '>';
		if (VOID.has(tag)) return open;
		if (RAW.has(tag)) return open + el.textContent.replace(/\0/g, '').replace(/<\/(?=[a-z])/gi, '< /') + '</' + tag + '>';
		const first = el.firstChild;
		const nl = (tag === 'pre' || tag === 'listing') && first && first.nodeType === 3 && first.data.startsWith('\n') ? '\n' : '';
		return open + nl + shadow(el) + children(el) + '</' + tag + '>';
	};

	const emptyHead = () => '<head>' + part({k: 'head'}) + part({k: 'styles'}) + '</head>';

	const foreign = el => {
		const tag = el.nodeName;
		if (!NAME.test(tag)) return '';
		switch (el.localName) {
		case 'script': return '';
		case 'style': return sheet(el);
		case 'use': return use(el);
		case 'image': case 'feImage': {
			const href = el.getAttribute('href') || el.getAttributeNS(XLINK, 'href');
			return '<' + tag + attributes(el, ['href', 'xlink:href']) + (href ? href.startsWith('#') ? attribute('href', value(href)) : original('href', absolute(href)) + attribute('href', part({k: 'res', url: absolute(href)})) : '') + '>' + children(el) + '</' + tag + '>';
		}
		case 'a': return '<' + tag + attributes(el, ['href', 'xlink:href']) + original('href', absolute(el.getAttribute('href') || '')) + '>' + children(el) + '</' + tag + '>';
		case 'animate': case 'animateTransform': case 'animateMotion': case 'set': return '';
		}
		return '<' + tag + attributes(el) + '>' + children(el) + '</' + tag + '>';
	};

	const root = rootOf(document);
	// What the browser made of something that is not a page is not a page either.
	if (!root || namespaceOf(root) !== HTML || !['text/html', 'text/plain', 'application/xhtml+xml'].includes(contentTypeOf(document))) return {picture: true, parts, html: '', url: location.href};
	const inBody = Document.prototype.querySelector.call(document, 'body style, body link[rel~=stylesheet]');
	prepare(document);
	const dt = doctypeOf(document), quirks = modeOf(document) === 'BackCompat';
	let html = quirks ? '' : '<!DOCTYPE html>';
	if (dt && quirks && dt.publicId) html = '<!DOCTYPE ' + dt.name + ' PUBLIC "' + value(dt.publicId) + '"' + (dt.systemId ? ' "' + value(dt.systemId) + '"' : '') + '>';
	else if (dt && dt.publicId && contentTypeOf(document) === 'text/html') html = '<!DOCTYPE ' + dt.name + ' PUBLIC "' + value(dt.publicId) + '"' + (dt.systemId ? ' "' + value(dt.systemId) + '"' : '') + '>';
	html += nameOf(root) === 'html' ? element(root) : '<html>' + emptyHead() + '<body>' + element(root) + part({k: 'end'}) + '</body></html>';
	const rules = late.filter(l => typeof l === 'string').join('\n');
	const styles = adopted(document), last = '<style data-candor-frozen>@layer candor{[data-candor-mark~="focus-visible"]{outline:-webkit-focus-ring-color auto 1px}}*,::before,::after{animation:none!important;transition:none!important;caret-color:transparent!important}' +
		'video::-webkit-media-controls,audio::-webkit-media-controls{display:none!important}\n' + rules.replace(/<\//g, '<\\/') + '</style>';
	const end = late.filter(l => l.html).map(l => l.html).join('');
	for (const p of parts) {
		if (p.k === 'styles') p.html = (inBody ? '' : styles) + last;
		if (p.k === 'end') p.html = (inBody ? styles : '') + end;
	}
	return {html, parts, quirks, url: location.href};
}
