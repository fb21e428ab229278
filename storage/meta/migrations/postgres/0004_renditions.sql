-- +goose Up
-- A capture may hold more than one rendition of its page. The files of the
-- capture proper have none; those of a further one its name.
ALTER TABLE artefacts ADD COLUMN rendition text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE artefacts DROP COLUMN rendition;
