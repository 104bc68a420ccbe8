//! What `photo_store` names: a folder, or `s3://<bucket>/<prefix>` with what its server needs.

use std::path::PathBuf;

use object_store::path::Path;
use reqwest::Url;

use super::StoreError;
use crate::config::Config;

/// Signed into requests when nothing else is set; most servers that are not Amazon's take any.
const REGION: &str = "us-east-1";

/// Where pictures lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// In a folder.
    Folder(PathBuf),
    /// In a bucket.
    Bucket(BucketAddress),
}

/// A bucket and how it is reached; no secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketAddress {
    /// The bucket's name.
    pub bucket: String,
    /// What stands before each key.
    pub prefix: Path,
    /// The server's URL; Amazon's own when there is none.
    pub endpoint: Option<String>,
    /// The region that requests are signed for.
    pub region: String,
    /// Whether the bucket stands in the host's name, not in the path.
    pub is_in_host: bool,
}

impl Address {
    /// Reads what is configured; nothing is reached.
    pub fn parse(config: &Config) -> Result<Self, StoreError> {
        let text = config.photo_store.trim();
        if text.starts_with("s3:") {
            let address = BucketAddress::parse(text).map_err(StoreError::Settings)?;
            for (key, value) in [
                ("photo_store_key_id", &config.photo_store_key_id),
                ("photo_store_secret", &config.photo_store_secret.0),
            ] {
                if value.is_empty() {
                    let why =
                        format!("a bucket needs {key}: set it, or DOORSTEP_{}", key.to_uppercase());
                    return Err(StoreError::Settings(why));
                }
            }
            return Ok(Self::Bucket(address));
        }
        if text.contains("://") {
            let why = "write a folder, or `s3://<bucket>/<prefix>?endpoint=https://<host>`";
            return Err(StoreError::Settings(why.to_owned()));
        }
        Ok(Self::Folder(match text {
            "" => beside_the_database(&config.database.0),
            folder => PathBuf::from(folder),
        }))
    }
}

impl BucketAddress {
    /// Whether this names a bucket and holds nothing that it should not.
    pub fn is_one(text: &str) -> bool {
        Self::parse(text.trim()).is_ok()
    }

    /// Reads `s3://<bucket>/<prefix>?…`; an error repeats no value, for it may be a secret at the wrong place.
    fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("is no URL ({error})"))?;
        if !url.username().is_empty() || url.password().is_some() {
            let why = "keys do not stand in the URL: set photo_store_key_id and photo_store_secret";
            return Err(why.to_owned());
        }
        let bucket = url.host_str().unwrap_or_default().to_owned();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(allowed) || url.port().is_some()
        {
            return Err("name a bucket: `s3://<bucket>/<prefix>`".to_owned());
        }
        let prefix = Path::from_url_path(url.path()).map_err(|_| "the prefix cannot be a key")?;
        let mut address =
            Self { bucket, prefix, endpoint: None, region: REGION.to_owned(), is_in_host: true };
        let (mut host, mut allows_http) = (None, false);
        for (name, value) in url.query_pairs() {
            match (name.as_ref(), value.as_ref()) {
                ("endpoint", value) => address.endpoint = Some(value.to_owned()),
                ("region", value) => value.clone_into(&mut address.region),
                ("bucket_in", "host") => host = Some(true),
                ("bucket_in", "path") => host = Some(false),
                ("allow_http", "true") => allows_http = true,
                ("allow_http", "false") => {}
                _ => {
                    return Err("after `?` it takes endpoint=<URL>, region=<name>, \
                        bucket_in=host or bucket_in=path, and allow_http=true"
                        .to_owned());
                }
            }
        }
        address.is_in_host = host.unwrap_or(address.endpoint.is_none());
        if let Some(endpoint) = &address.endpoint {
            address.endpoint = Some(address.reached_at(endpoint, allows_http)?);
        }
        Ok(address)
    }

    /// The endpoint as requests begin, when pictures may travel there.
    fn reached_at(&self, endpoint: &str, allows_http: bool) -> Result<String, String> {
        let why = "endpoint is no URL like `https://s3.example:9000`";
        let mut url = Url::parse(endpoint).map_err(|_| why)?;
        let is_bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
        let host = url.host_str().filter(|_| is_bare).ok_or(why)?.to_owned();
        let is_here = ["127.0.0.1", "[::1]", "localhost"].contains(&host.as_str());
        match url.scheme() {
            "https" => {}
            "http" if is_here || allows_http => {}
            "http" => {
                return Err("pictures would travel in the clear: take an https endpoint, \
                    or add allow_http=true when the way there is safe"
                    .to_owned());
            }
            _ => return Err(why.to_owned()),
        }
        if self.is_in_host {
            url.set_host(Some(&format!("{}.{host}", self.bucket))).map_err(|_| why)?;
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }

    /// How people name it.
    pub fn shown(&self) -> String {
        let at = self.endpoint.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
        format!("s3://{}/{}{at}", self.bucket, self.prefix)
    }
}

/// Next to an SQLite file and named like it, so that a hall stays together; else in the working folder.
fn beside_the_database(url: &str) -> PathBuf {
    match url.strip_prefix("sqlite:") {
        Some(path) => PathBuf::from(format!("{}-photos", path.strip_prefix("//").unwrap_or(path))),
        None => PathBuf::from("doorstep-photos"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    #[test]
    fn a_hall_in_a_file_has_its_photos_beside_it() {
        let beside = |url: &str| beside_the_database(url).display().to_string();
        assert_eq!(beside("sqlite:doorstep.db"), "doorstep.db-photos");
        assert_eq!(beside("sqlite:///srv/hall.db"), "/srv/hall.db-photos");
        assert_eq!(beside("postgres://x/y"), "doorstep-photos");
    }

    #[test]
    fn a_bucket_is_named_with_its_server_region_and_prefix() {
        let amazon = BucketAddress::parse("s3://halls?region=cn-north-1").unwrap();
        assert_eq!((amazon.endpoint, amazon.is_in_host), (None, true));
        assert_eq!((amazon.region.as_str(), amazon.prefix.as_ref()), ("cn-north-1", ""));

        let own = BucketAddress::parse("s3://halls/east/?endpoint=https://minio.lan:9000").unwrap();
        assert_eq!(own.endpoint.as_deref(), Some("https://minio.lan:9000"));
        assert_eq!((own.prefix.as_ref(), own.is_in_host), ("east", false));
        assert_eq!(own.shown(), "s3://halls/east at https://minio.lan:9000");

        let text = "s3://halls?endpoint=https://oss.example&bucket_in=host";
        let in_host = BucketAddress::parse(text).unwrap();
        assert_eq!(in_host.endpoint.as_deref(), Some("https://halls.oss.example"));
    }

    #[test]
    fn check_46_what_is_wrong_is_told_without_the_secret_beside_it() {
        for (text, told) in [
            ("s3://KEY:canary@halls/x", "keys do not stand in the URL"),
            ("s3://halls?secret=canary", "it takes endpoint=<URL>"),
            ("s3://halls?endpoint=https://x:canary@minio.lan", "no URL like"),
            ("s3://halls?endpoint=http://minio.lan:9000", "in the clear"),
            ("s3://halls?endpoint=ftp://minio.lan", "no URL like"),
            ("s3://?canary", "name a bucket"),
            ("s3:halls", "name a bucket"),
            ("s3://halls:9000/x", "name a bucket"),
        ] {
            let error = BucketAddress::parse(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
            assert!(!error.contains("canary"), "{error}");
        }
        let allowed = "s3://halls?endpoint=http://minio.lan:9000&allow_http=true";
        assert!(BucketAddress::parse(allowed).is_ok());
    }

    #[test]
    fn a_bucket_without_keys_is_refused_by_the_name_of_the_missing_one() {
        let set = |key_id: &str, secret: &str, store: &str| {
            let config = Config {
                photo_store: store.to_owned(),
                photo_store_key_id: key_id.to_owned(),
                photo_store_secret: Secret(secret.to_owned()),
                ..Config::default()
            };
            Address::parse(&config).map_err(|error| error.to_string())
        };

        assert!(set("", "s", "s3://halls").unwrap_err().contains("photo_store_key_id"));
        assert!(set("k", "", "s3://halls").unwrap_err().contains("DOORSTEP_PHOTO_STORE_SECRET"));
        assert!(set("", "", "gs://halls").unwrap_err().contains("s3://<bucket>"));
        assert!(matches!(set("k", "s", "s3://halls"), Ok(Address::Bucket(_))));
        assert_eq!(set("", "", "/srv/p"), Ok(Address::Folder(PathBuf::from("/srv/p"))));
    }
}
