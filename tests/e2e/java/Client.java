import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;

/** What the JDK's own client gets: `java Client.java URL KEY` prints a line for each call, its name and what came. */
public class Client {
    static final String BODY = "{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]%s}";
    static HttpClient client;
    static String url;

    static HttpRequest.Builder chat(String key) {
        return HttpRequest.newBuilder(URI.create(url + "/v1/chat/completions"))
            .timeout(Duration.ofSeconds(30))
            .header("Authorization", "Bearer " + key)
            .header("Content-Type", "application/json");
    }

    static void call(String name, HttpRequest request) {
        String got;
        try {
            HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            List<String> lines = answer.body().lines().filter(line -> !line.isEmpty()).toList();
            got = answer.statusCode() + " " + (lines.isEmpty() ? "" : lines.get(lines.size() - 1));
        } catch (Exception failure) {
            got = failure.toString();
        }
        System.out.println(name + "\t" + got);
    }

    static HttpRequest.BodyPublisher sized(String text, String more) {
        return HttpRequest.BodyPublishers.ofString(String.format(BODY, text, more));
    }

    static HttpRequest.BodyPublisher chunked(String text) {
        byte[] body = String.format(BODY, text, "").getBytes();
        return HttpRequest.BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body));
    }

    public static void main(String[] arguments) {
        url = arguments[0];
        String key = arguments[1];
        String wrong = "sk-omg-wrong-wrong-wrong";
        for (HttpClient.Version version : HttpClient.Version.values()) { // HTTP_2, its default, sends `Upgrade: h2c`
            client = HttpClient.newBuilder().version(version).build();
            String as = version + " ";
            call(as + "plain", chat(key).POST(sized("hi", "")).build());
            call(as + "again", chat(key).POST(sized("hi", "")).build());
            call(as + "stream", chat(key).POST(sized("hi", ",\"stream\":true")).build());
            call(as + "chunked", chat(key).POST(chunked("hi")).build());
            call(as + "large", chat(key).POST(sized("x".repeat(1_000_000), "")).build());
            call(as + "expect", chat(key).expectContinue(true).POST(sized("hi", "")).build());
            call(as + "models", HttpRequest.newBuilder(URI.create(url + "/v1/models")).header("x-api-key", key).build());
            call(as + "wrong key", chat(wrong).POST(sized("hi", "")).build());
            call(as + "wrong key, large", chat(wrong).POST(sized("x".repeat(8_000_000), "")).build());
            call(as + "wrong key, chunked", chat(wrong).POST(chunked("x".repeat(1_000_000))).build());
            call(as + "too large", chat(key).POST(sized("x".repeat(34_000_000), "")).build());
            call(as + "after that", chat(key).POST(sized("hi", "")).build());
        }
    }
}
