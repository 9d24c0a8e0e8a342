//! Requests to the endpoint, through gloo-net.

use crate::error::{Error, Result};
use crate::memory::{Body, Cancel, HttpRequest, HttpResponse, Method, Transport};
use gloo_net::http::Request;
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, ReadableStreamDefaultReader, ReadableStreamReadResult};

/// Knows one endpoint and reaches no other.
pub struct FetchTransport {
    endpoint: String,
}

impl FetchTransport {
    pub fn new(endpoint: String) -> FetchTransport {
        FetchTransport { endpoint }
    }
}

/// The bytes of an answer. Dropping it ends the request.
pub struct FetchBody {
    reader: Option<ReadableStreamDefaultReader>,
    /// Aborts the request when it goes.
    _request: Running,
}

/// A request under way. Dropping it aborts it, which does nothing to one that has ended.
struct Running(AbortController);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Transport for FetchTransport {
    type Body = FetchBody;

    async fn send(
        &self,
        request: &HttpRequest,
        _cancel: &Cancel,
    ) -> Result<HttpResponse<FetchBody>> {
        let controller = AbortController::new().map_err(network)?;
        let url = format!("{}{}", self.endpoint, request.path);
        let builder = match request.method {
            Method::Get => Request::get(&url),
            Method::Post => Request::post(&url),
        };
        let mut builder = builder
            .abort_signal(Some(&controller.signal()))
            .credentials(web_sys::RequestCredentials::Omit)
            .referrer_policy(web_sys::ReferrerPolicy::NoReferrer)
            .cache(web_sys::RequestCache::NoStore);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        // The caller drops this future when it is cancelled, and the request ends with it.
        let running = Running(controller);
        let unsent = |error: gloo_net::Error| Error::Network {
            message: error.to_string(),
        };
        let built = match request.method {
            Method::Get => builder.build(),
            Method::Post => builder.body(request.body.as_str()),
        };
        let response = built.map_err(unsent)?.send().await.map_err(unsent)?;
        let headers = response
            .headers()
            .entries()
            .map(|(k, v)| (k.to_lowercase(), v))
            .collect();
        let reader = response
            .body()
            .map(|stream| stream.get_reader().unchecked_into());
        Ok(HttpResponse {
            status: response.status(),
            headers,
            body: FetchBody {
                reader,
                _request: running,
            },
        })
    }
}

impl Body for FetchBody {
    async fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(reader) = &self.reader else {
            return Ok(None);
        };
        let read = JsFuture::from(reader.read()).await.map_err(network)?;
        let read: ReadableStreamReadResult = read.unchecked_into();
        if read.get_done().unwrap_or(true) {
            return Ok(None);
        }
        Ok(Some(
            read.get_value().unchecked_into::<Uint8Array>().to_vec(),
        ))
    }
}

fn network(error: JsValue) -> Error {
    let text = error
        .dyn_ref::<js_sys::Error>()
        .map(|error| String::from(error.message()));
    Error::Network {
        message: text.unwrap_or_else(|| "the connection broke".into()),
    }
}
