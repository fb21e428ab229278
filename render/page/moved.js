// moved lets the page react for two frames and says what it changed since its
// view was resized. When that is much to wait for, it waits until it is done.
async () => {
	const w = globalThis.candorWatch;
	if (!w) return {};
	const wait = ms => new Promise(r => setTimeout(r, ms));
	const frame = () => Promise.race([new Promise(r => requestAnimationFrame(r)), wait(500)]);
	await frame();
	await frame();
	const got = {resized: w.resized, restless: w.restless, changed: w.resized ? w.count() : 0};
	for (let i = 0; got.changed && i < 4; i++) {
		await wait(150);
		const more = w.count();
		if (!more) break;
		got.changed += more;
	}
	w.resized = false;
	if (!got.changed) w.end();
	return got;
}
