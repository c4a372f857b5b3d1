-- Portable, as 0001_first.sql says.

-- Domains whose people may have roles here, or here's people there. While an enterprise has none, all may.
CREATE TABLE allowed_domains (
    id            BIGINT PRIMARY KEY,
    enterprise_id BIGINT NOT NULL REFERENCES enterprises (id),
    -- Folded
    domain        TEXT NOT NULL,
    -- The sum of 1: theirs may have roles here; 2: ours may have roles there
    direction     BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX allowed_domains_by_domain ON allowed_domains (enterprise_id, domain);
CREATE INDEX allowed_domains_listed ON allowed_domains (enterprise_id, id);

-- Users to whom that does not apply.
CREATE TABLE allowlist_exemptions (
    id            BIGINT PRIMARY KEY,
    enterprise_id BIGINT NOT NULL REFERENCES enterprises (id),
    user_id       BIGINT NOT NULL REFERENCES users (id),
    created_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX allowlist_exemptions_by_user ON allowlist_exemptions (user_id);
CREATE INDEX allowlist_exemptions_listed ON allowlist_exemptions (enterprise_id, id);

-- What users accept before they go on.
CREATE TABLE terms_of_service (
    id            BIGINT PRIMARY KEY,
    enterprise_id BIGINT NOT NULL REFERENCES enterprises (id),
    -- 0 the enterprise's own users, 1 whoever comes from outside
    kind          BIGINT NOT NULL,
    enabled       BIGINT NOT NULL,
    text          TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    modified_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX terms_of_service_by_kind ON terms_of_service (enterprise_id, kind);

CREATE TABLE terms_of_service_statuses (
    id          BIGINT PRIMARY KEY,
    terms_id    BIGINT NOT NULL REFERENCES terms_of_service (id),
    user_id     BIGINT NOT NULL REFERENCES users (id),
    accepted    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    modified_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX terms_of_service_statuses_by_user ON terms_of_service_statuses (user_id, terms_id);
CREATE INDEX terms_of_service_statuses_listed ON terms_of_service_statuses (terms_id, id);
