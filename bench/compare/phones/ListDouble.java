// SPDX-License-Identifier: Apache-2.0
// ListDouble: Google's server of revoked certificates, on loopback: a proxy that answers CONNECT itself, with a certificate that the
// JVM was told to trust. What it serves may be kept for a day, so that it is asked once and what is measured waits for nobody.
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

final class ListDouble {
    private final ServerSocket listener;
    private final SSLContext tls;
    private final byte[] list;

    ListDouble(byte[] list) throws Exception {
        final char[] password = System.getProperty("javax.net.ssl.trustStorePassword").toCharArray();
        final KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(Path.of(System.getProperty("javax.net.ssl.trustStore")))) {
            store.load(in, password);
        }
        final KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, password);
        this.tls = SSLContext.getInstance("TLS");
        this.tls.init(keys.getKeyManagers(), null, null);
        this.list = list;
        this.listener = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
        start(this::serve);
    }

    String url() {
        return "http://127.0.0.1:" + listener.getLocalPort();
    }

    private interface Job {
        void run() throws IOException;
    }

    private static void start(Job job) {
        final Thread thread = new Thread(() -> {
            try {
                job.run();
            } catch (IOException e) {
                // the peer went away; a verifier without a list says so itself
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private void serve() throws IOException {
        for (;;) {
            final Socket socket = listener.accept();
            start(() -> answer(socket));
        }
    }

    private static boolean head(InputStream in) throws IOException {
        for (int last = 0, c; (c = in.read()) >= 0; last = last << 8 | c) {
            if ((last << 8 | c) == 0x0d0a0d0a) {
                return true;
            }
        }
        return false;
    }

    private void answer(Socket socket) throws IOException {
        head(socket.getInputStream());
        socket.getOutputStream().write("HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        final SSLSocket inner = (SSLSocket) tls.getSocketFactory().createSocket(socket, "127.0.0.1", socket.getPort(), true);
        inner.setUseClientMode(false);
        while (head(inner.getInputStream())) {
            final OutputStream out = inner.getOutputStream();
            out.write(("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: public, max-age=86400\r\n"
                + "Content-Length: " + list.length + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            out.write(list);
            out.flush();
        }
    }
}
