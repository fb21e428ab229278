package picture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

var errSum = errors.New("wrong check sum")

// idat joins the image data of a PNG's chunks, checking their sums.
type idat struct {
	r    *bufio.Reader
	left uint32
	crc  uint32
	open bool
}

func (d *idat) Read(b []byte) (int, error) {
	for d.left == 0 {
		var h [8]byte
		if d.open {
			if err := d.full(h[:4]); err != nil {
				return 0, err
			}
			if binary.BigEndian.Uint32(h[:4]) != d.crc {
				return 0, errSum
			}
		}
		d.open = false
		if err := d.full(h[:]); err != nil {
			return 0, err
		}
		n, kind := binary.BigEndian.Uint32(h[:4]), string(h[4:])
		switch kind {
		case "IDAT":
			d.left, d.open = n, true
			d.crc = crc32.ChecksumIEEE(h[4:])
		case "IEND":
			return 0, io.EOF
		default:
			if _, err := io.CopyN(io.Discard, d.r, int64(n)+4); err != nil {
				return 0, unexpected(err)
			}
		}
	}
	if uint32(len(b)) > d.left {
		b = b[:d.left]
	}
	n, err := d.r.Read(b)
	d.crc = crc32.Update(d.crc, crc32.IEEETable, b[:n])
	d.left -= uint32(n)
	return n, unexpected(err)
}

func (d *idat) full(b []byte) error {
	_, err := io.ReadFull(d.r, b)
	return unexpected(err)
}

// unexpected makes an end that comes too early an error.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// gather gives the image data of a whole PNG in memory, after its header chunk,
// appended to buf.
func gather(buf, png []byte) ([]byte, error) {
	for b := png[headerSize:]; ; {
		if len(b) < 12 {
			return nil, io.ErrUnexpectedEOF
		}
		n, kind := uint64(binary.BigEndian.Uint32(b)), string(b[4:8])
		if kind == "IEND" {
			return buf, nil
		}
		if n > uint64(len(b)-12) {
			return nil, io.ErrUnexpectedEOF
		}
		if kind == "IDAT" {
			if crc32.ChecksumIEEE(b[4:8+n]) != binary.BigEndian.Uint32(b[8+n:]) {
				return nil, errSum
			}
			buf = append(buf, b[8:8+n]...)
		}
		b = b[12+n:]
	}
}

// chunk writes one chunk of the parts put together.
func chunk(w io.Writer, kind string, parts ...[]byte) error {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	head := append(binary.BigEndian.AppendUint32(make([]byte, 0, 8), uint32(n)), kind...)
	crc := crc32.ChecksumIEEE(head[4:])
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, p := range parts {
		crc = crc32.Update(crc, crc32.IEEETable, p)
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	_, err := w.Write(binary.BigEndian.AppendUint32(nil, crc))
	return err
}
