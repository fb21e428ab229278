// Package object keeps bytes by their SHA-256: in a local directory by default,
// in an S3 bucket when told so. An object never changes and has no name but its
// hash, so the same bytes are kept once and a reader can always check what it
// got. What an object is, and who may see it, others know.
package object

import (
	"context"
	"io"
	"net/url"
	"strings"

	"github.com/candor-archive/candor"
	"github.com/candor-archive/candor/storage/layout"
)

// Store is what every place for objects promises. The suite for it is in
// package storagetest.
type Store interface {
	// Put stores what r gives and says under which hash and how long it is. When
	// it returns without error the object is durable; when it fails, or the
	// context ends, nothing of it is there. Bytes that are there already are not
	// written again.
	Put(ctx context.Context, r io.Reader) (sha string, size int64, err error)
	// PutExpect is Put for bytes whose hash is known. Others than these are
	// refused as Invalid and nothing is stored.
	PutExpect(ctx context.Context, sha string, r io.Reader) (size int64, err error)
	// Open reads an object; NotFound when it is absent. The bytes are given as
	// they are stored: whoever needs to be sure compares their hash.
	Open(ctx context.Context, sha string) (io.ReadSeekCloser, error)
	// Stat gives an object's size; NotFound when it is absent.
	Stat(ctx context.Context, sha string) (size int64, err error)
	// Each calls f with every object, in the order of their hashes, and stops at
	// its first error.
	Each(ctx context.Context, f func(sha string, size int64) error) error
}

// Open opens the store a URL names. An empty URL is the directory DIR/objects;
// s3://ACCESS:SECRET@HOST:PORT/BUCKET is a bucket, made when it is missing,
// with ?tls=0 for plain HTTP and ?region=NAME where the server has regions. The
// data directory dir also holds what is still on its way to a bucket.
func Open(rawURL, dir string) (Store, error) {
	if rawURL == "" {
		return openLocal(dir)
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		// The parser's error repeats the URL, which holds a secret.
		return nil, candor.Errorf(candor.Invalid, "the address of the object store is not a URL: write s3://ACCESS:SECRET@host:port/bucket")
	}
	if u.Scheme != "s3" {
		return nil, candor.Errorf(candor.Invalid, "object store: there is no %q: leave it empty for the local directory, or write s3://ACCESS:SECRET@host:port/bucket", u.Scheme)
	}
	secret, ok := u.User.Password()
	bucket := strings.Trim(u.Path, "/")
	if !ok || u.User.Username() == "" || u.Host == "" || bucket == "" || strings.Contains(bucket, "/") {
		return nil, candor.Errorf(candor.Invalid, "the address of the object store lacks a part: write s3://ACCESS:SECRET@host:port/bucket")
	}
	return openBucket(bucketConfig{
		host: u.Host, bucket: bucket, access: u.User.Username(), secret: secret,
		tls: u.Query().Get("tls") != "0", region: u.Query().Get("region"),
	}, dir)
}

func checkSHA(sha string) error {
	if !layout.ValidSHA(sha) {
		return candor.Errorf(candor.Invalid, "%q is not a SHA-256", sha)
	}
	return nil
}

func notFound(sha string) error {
	return candor.Errorf(candor.NotFound, "there is no object %s", sha)
}
